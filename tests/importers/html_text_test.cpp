#include "importers/html_text.h"

#include <gtest/gtest.h>

namespace kvasir {
namespace {

std::string read(const std::string& body) {
  return textOfHtml("<html xmlns:epub='http://www.idpf.org/2007/ops'><head><title/></head><body>" + body +
                    "</body></html>")
      .text;
}

TEST(Html, MakesParagraphsOfBlocks) {
  EXPECT_EQ(read("<p>one\n  two</p><div>three</div>"), "one two\n\nthree");
}

TEST(Html, KeepsInlineElementsInTheirLine) { EXPECT_EQ(read("<p>a<b>b</b> <i>c</i>d</p>"), "ab cd"); }

TEST(Html, BreaksLinesWhereTheyAreBroken) { EXPECT_EQ(read("<p>a<br/>b</p>"), "a\nb"); }

TEST(Html, NumbersAndMarksLists) {
  EXPECT_EQ(read("<ul><li>a</li><li>b</li></ul><ol start='3'><li>c</li></ol>"), "• a\n• b\n\n3. c");
}

TEST(Html, WritesTablesAsRows) {
  EXPECT_EQ(read("<table><tr><th>a</th><th>b</th></tr><tr><td><p>1</p></td><td>2</td></tr></table>"),
            "a\tb\n1\t2");
}

TEST(Html, KeepsPreformattedText) { EXPECT_EQ(read("<pre>if (x)\n    y();</pre>"), "if (x)\n    y();"); }

TEST(Html, LeavesOutReadingsOverCharacters) {
  EXPECT_EQ(read("<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>です</p>"), "漢字です");
}

TEST(Html, PutsFootnotesAfterTheParagraphThatRefersToThem) {
  EXPECT_EQ(read("<p>Text<a epub:type='noteref' href='#n'>1</a> goes on.</p><p>Next.</p>"
                 "<aside id='n' epub:type='footnote'><p>The note.</p></aside>"),
            "Text[1] goes on.\n\nThe note.\n\nNext.");
}

TEST(Html, KeepsFootnotesThatNobodyRefersTo) {
  EXPECT_EQ(read("<p>Text.</p><aside id='n' epub:type='footnote'><p>The note.</p></aside>"),
            "Text.\n\nThe note.");
}

TEST(Html, EndsThoughFootnotesReferToEachOther) {
  EXPECT_EQ(read("<p>A<a epub:type='noteref' href='#n'>1</a></p><aside id='n' epub:type='footnote'>B<a "
                 "epub:type='noteref' href='#m'>2</a></aside><aside id='m' epub:type='footnote'>C<a "
                 "epub:type='noteref' "
                 "href='#n'>1</a></aside>")
                .substr(0, 4),
            "A[1]");
}

TEST(Html, LeavesOutTablesOfContentsAndPageBreaks) {
  EXPECT_EQ(read("<nav epub:type='toc'><ol><li>x</li></ol></nav><p>a<span epub:type='pagebreak'>7</span>b</p>"),
            "ab");
}

TEST(Html, IsNotSwallowedByAnEmptyElement) {
  EXPECT_EQ(read("<p><a id='x'/>a</p><script/><p>b</p>"), "a\n\nb");
}

TEST(Html, KnowsEntitiesOfHtmlButNoneOfTheFile) {
  EXPECT_EQ(
      textOfHtml("<!DOCTYPE html [<!ENTITY own \"expanded\">]><html><body><p>&eacute;&own;</p></body></html>")
          .text,
      "é&own;");
}

TEST(Html, ComposesCharacters) { EXPECT_EQ(read("<p>e&#x301;</p>"), "é"); }

TEST(Html, NestedTooDeeplyIsNotRead) {
  std::string html;
  for (int i = 0; i < 200'000; ++i) html += "<div></p>";
  EXPECT_TRUE(textOfHtml(html).text.empty());
}

TEST(Html, KnowsWhereElementsWithAnIdBegin) {
  const HtmlText html = textOfHtml("<body><p>one</p><h2 id='two'>two</h2></body>");
  EXPECT_EQ(html.ids.at("two"), html.text.find("two"));
  ASSERT_EQ(html.headings.size(), 1u);
  EXPECT_EQ(html.headings[0].start, html.text.find("two"));
}

}  // namespace
}  // namespace kvasir
