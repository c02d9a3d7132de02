#include "importers/html_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>

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

TEST(Html, KeepsEachCellInItsColumn) {
  EXPECT_EQ(read("<table><tr><th> </th><th>a</th><th>b</th></tr><tr><td>x</td><td></td><td>2</td></tr>"
                 "<tr><td>&nbsp;</td><td><br/></td></tr><tr><td>y<br/>z</td><td>3</td></tr></table>"),
            "\ta\tb\nx\t\t2\ny z\t3");
}

TEST(Html, WritesTablesWithinCellsAsRows) {
  EXPECT_EQ(read("<table><tr><td>a<table><tr><td>1</td><td>2</td></tr><tr><td></td><td>4</td></tr></table></td>"
                 "<td>b</td></tr></table>"),
            "a\n1\t2\n\t4\tb");
}

TEST(Html, TakesHeadingsInCellsAsHeadings) {
  const HtmlText html = textOfHtml(
      "<table><tr><td>a</td><td><h2>Two</h2><p>b</p><p>c</p></td><td>d</td></tr><tr><th><h3>e</h3></th><th>f</"
      "th></tr></table>");
  EXPECT_EQ(html.text, "a\n\nTwo\n\nb c\td\ne\tf");
  ASSERT_EQ(html.headings.size(), 1u);
  EXPECT_EQ(html.headings[0].title, "Two");
  EXPECT_EQ(html.headings[0].start, html.text.find("Two"));
}

TEST(Html, TellsRaisedNumbersFromWhatIsBeforeThem) {
  EXPECT_EQ(read("<p>word<sup><a href='#fn1'>1</a></sup> and<a href='notes.xhtml#n'><sup>*</sup></a></p>"),
            "word[1] and[*]");
  EXPECT_EQ(
      read("<p>10<sup>6</sup>, 10<sup>\u22123</sup>, 10<sup>-3</sup>, 5<sup><a href='#n'>2</a></sup></p>"),
      "10^6, 10^\u22123, 10^-3, 5[2]");
  EXPECT_EQ(read("<table><tr><td>10<sup>6</sup></td></tr></table>"), "10^6");
}

TEST(Html, KeepsOtherRaisedTextAsItIs) {
  EXPECT_EQ(read("<p>2<sup>nd</sup> x<sup>2</sup> m<sup><a href='#a'>a</a></sup> 10<sup>-</sup></p>"),
            "2nd x2 ma 10-");
  EXPECT_EQ(read("<p>a<sup>1</p><p>2</sup>b</p>"), "a1\n\n2b");
}

TEST(Html, ReadsFormulasOnce) {
  EXPECT_EQ(read("<p><math><semantics><mi>E</mi><annotation encoding='application/x-tex'>E=mc^2</annotation>"
                 "<annotation-xml><mi>E</mi></annotation-xml></semantics></math></p>"
                 "<p><m:math><m:mi>F</m:mi><m:annotation>F</m:annotation></m:math></p>"),
            "E\n\nF");
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

// Chapters put into one file by hand repeat their numbers.
TEST(Html, LosesNoFootnoteWhoseIdAnotherHas) {
  EXPECT_EQ(
      read("<p>A<a epub:type='noteref' href='#n'>1</a></p><aside id='n' epub:type='footnote'>First.</aside>"
           "<p>B<a epub:type='noteref' href='#n'>1</a></p><aside id='n' epub:type='footnote'>Second.</aside>"
           "<p>C<a epub:type='noteref' href='#'>2</a></p><aside epub:type='footnote'>Third.</aside>"),
      "A[1]\n\nFirst.\n\nB[1]\n\nSecond.\n\nC[2]\n\nThird.");
}

TEST(Html, TakesTimeInStepWithIdsOfEmptyElements) {
  std::string html;
  for (int i = 0; i < 60'000; ++i) html += "<p id='" + std::to_string(i) + "'></p>";
  EXPECT_EQ(read(html + "<p>end</p>"), "end");
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

TEST(Html, MayDeclareItsEncoding) {
  EXPECT_EQ(textOfHtml("<meta charset='windows-1251'><p>\xC4\xE0, \x97 \xED\xE5\xF2</p>").text, "Да, — нет");
  EXPECT_EQ(textOfHtml("<?xml version='1.0' encoding='latin1'?><p>\xE9 \x96 \xE8</p>").text, "é – è");
  EXPECT_EQ(textOfHtml("<meta charset='no such'><p>d\xE9j\xE0 vu et l'\xE9t\xE9</p>").text, "déjà vu et l'été");
}

TEST(Html, ComposesCharacters) { EXPECT_EQ(read("<p>e&#x301;</p>"), "é"); }

TEST(Html, KeepsTheTextOfElementsNestedDeeperThanInAnyBook) {
  std::string html, end, words;
  for (int i = 0; i < 2000; ++i) {
    html += "<div>d" + std::to_string(i) + "<b>e</b>";
    end += "u" + std::to_string(i) + "</div>";
  }
  html = read(html + "<p>innermost</p>" + end + "<p>after</p>");
  for (int i = 0; i < 2000; ++i) words += "d" + std::to_string(i) + "e ";
  words += "innermost ";
  for (int i = 0; i < 2000; ++i) words += "u" + std::to_string(i) + " ";
  std::istringstream found(html), wanted(words + "after");
  EXPECT_TRUE(std::equal(std::istream_iterator<std::string>(found), {},
                         std::istream_iterator<std::string>(wanted), {}));
  EXPECT_TRUE(html.ends_with("\n\nafter"));
}

/// The parser would nest these ever deeper.
TEST(Html, KeepsTheTextAfterElementsThatAreLeftOpen) {
  for (const std::string piece : {"<div></p>", "<b><div></b>", "<li><dd>", "<div><b id='%'></div>", "<p><span>",
                                  "<div a=b\"><div>", "<table><tr><td>", "<a><div>"}) {
    std::string html;
    for (int i = 0; i < 100'000; ++i) {
      std::string one = piece;
      if (const std::size_t at = one.find('%'); at != std::string::npos) one.replace(at, 1, std::to_string(i));
      html += one;
    }
    EXPECT_TRUE(read(html + "\"'>last words").ends_with("last words")) << piece;
  }
}

TEST(Html, TakesCharactersThatAreNoMarkupAsText) {
  EXPECT_EQ(read("<p>1 < 2, <3 and <![CDATA[a < b & <i>c</i>]]></p>"), "1 < 2, <3 and a < b & <i>c</i>");
}

TEST(Html, TakesTimeInStepWithDeclarationsAndAttributes) {
  std::string html, attributes;
  for (int i = 0; i < 300'000; ++i) html += "<!a>";
  for (int i = 0; i < 200'000; ++i) attributes += " a" + std::to_string(i);
  EXPECT_EQ(read(html + "<p" + attributes + ">end</p>"), "end");
}

TEST(Html, ReadsNoScripts) {
  EXPECT_EQ(read("<p>a</p><script>if (a<b) write('<div>');</SCRIPT><p>b</p>"), "a\n\nb");
}

TEST(Html, TakesTheEndTagOfALineBreakForNothing) { EXPECT_EQ(read("<p>a<br></br>b</p>"), "a\nb"); }

TEST(Html, EndsParagraphsAndItemsThatAreLeftOpen) {
  EXPECT_EQ(read("<p>a<p>b<ul><li>c<li><p>d<li>e</ul><p>f"), "a\n\nb\n\n• c\n• d\n• e\n\nf");
  EXPECT_EQ(read("<table><tr><td>1<td>2<tr><td>3</table>"), "1\t2\n3");
}

TEST(Html, KeepsTheLineOfElementsThatOverlap) {
  EXPECT_EQ(read("<b><p>a</b>b</p><p><i>c<b>d</i>e</b></p>"), "ab\n\ncde");
}

TEST(Html, KnowsWhereElementsWithAnIdBegin) {
  const HtmlText html = textOfHtml("<body><p>one</p><h2 id='two'>two</h2></body>");
  EXPECT_EQ(html.ids.at("two"), html.text.find("two"));
  ASSERT_EQ(html.headings.size(), 1u);
  EXPECT_EQ(html.headings[0].start, html.text.find("two"));
}

TEST(Html, TakesNoBlankHeadingForASection) {
  const HtmlText html =
      textOfHtml("<p>one</p><h2>&nbsp;</h2><h3>&shy;</h3><h2>A&shy;b</h2><p>two</p><h3>&nbsp; </h3>");
  EXPECT_EQ(html.text, "one\n\nAb\n\ntwo");
  ASSERT_EQ(html.headings.size(), 1u);
  EXPECT_EQ(html.headings[0].title, "Ab");
  EXPECT_EQ(html.headings[0].start, html.text.find("Ab"));
}

TEST(Html, KeepsPlacesOfIdsWithinTheTextWhenSomeOfItIsLeftOut) {
  const HtmlText html = textOfHtml(
      "<body><p>a&#173;&#173;&#173;<i id='in'>é</i></p><p id='empty'> </p><p>b</p><p id='end'/></body>");
  EXPECT_EQ(html.text, "aé\n\nb");
  EXPECT_LE(html.ids.at("in"), 3u);
  EXPECT_EQ(html.ids.at("empty"), html.text.find('b'));
  EXPECT_EQ(html.ids.at("end"), html.text.size());
}

TEST(Html, KnowsThePathOfEveryBlock) {
  const HtmlText html = textOfHtml(
      "<body><p><br/>a</p><p>b<a epub:type='noteref' href='#n'>1</a></p><div><p>c</p></div>"
      "<aside epub:type='footnote' id='n'>note</aside></body>");
  ASSERT_EQ(html.text, "a\n\nb[1]\n\nnote\n\nc");
  std::vector<std::string> ends;
  for (const Anchor& anchor : html.anchors) ends.push_back(anchor.location.substr(2));
  EXPECT_EQ(ends, (std::vector<std::string>{"/2", "/4", "/8", "/6/2"}));
}

}  // namespace
}  // namespace kvasir
