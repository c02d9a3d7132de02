#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/importer.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

class Markdown : public testing::Test {
 protected:
  Document import(const std::string& text) { return importFile(folder_.write("made.md", text)); }
  Folder folder_{"markdown"};
};

TEST_F(Markdown, TakesHeadingsAsSections) {
  const Document document = import("# One #\n\ntext\n\nTwo\n---\n\nmore\n\n### Three\n");
  EXPECT_EQ(document.format, "markdown");
  EXPECT_EQ(document.text, "One\n\ntext\n\nTwo\n\nmore\n\nThree");
  ASSERT_EQ(document.sections.size(), 3u);
  EXPECT_EQ(document.sections[0].title, "One");
  EXPECT_EQ(document.sections[1].level, 2);
  EXPECT_EQ(document.sections[2].start, document.text.find("Three"));
  EXPECT_EQ(document.title, "One");
}

TEST_F(Markdown, TakesNoHeadingsFromCode) {
  const Document document = import("text\n\n```sh\n# a comment\n```\n\n    # indented\n");
  EXPECT_TRUE(document.sections.empty());
  EXPECT_EQ(document.text, "text\n\n# a comment\n\n    # indented");
}

TEST_F(Markdown, ReadsLinksAndEmphasisAsTheirText) {
  EXPECT_EQ(import("See **the [_manual_](http://x.org/a_b)** and ![a picture](p.png), `code_*`.").text,
            "See the manual and a picture, code_*.");
}

TEST_F(Markdown, TakesBracketsForALinkOnlyWhereItsTargetIsNamed) {
  for (const char* text :
       {"arr[i][j] and [3][4]", "[a] (b)", "see [note][^1]\n\n[^1]: a footnote", "[a][b]\n\n```\n[b]: x\n```"})
    EXPECT_TRUE(import(text).text.starts_with(std::string(text).substr(0, 6))) << text;
  EXPECT_EQ(import("[the *text*][My\n  Label], [my label][] ![x][MY LABEL]\n\n[my label]: http://x.org").text,
            "the text, my label x\n\n[my label]: http://x.org");
}

TEST_F(Markdown, FindsTheEndOfALinkThatHoldsBrackets) {
  EXPECT_EQ(import("[Foo](x/Foo_(bar)) and [![build](i)](l), [a [b] c](d)").text, "Foo and build, a [b] c");
  EXPECT_EQ(import("[a [b](c) and [d\\]e](f), [g](h").text, "[a b and d]e, [g](h");
}

TEST_F(Markdown, KeepsMarksThatAreNoEmphasis) {
  for (const char* text :
       {"snake_case_name and 2 * 3 * 4", "5*12 months", "x**2", "f(*args, **kwargs)", "a _private name",
        "un_frigging_believable", "aa_\"bb\"_cc", "*unclosed", "**", "*a_ b", "`` unclosed ` code"})
    EXPECT_EQ(import(text).text, text);
}

// What is said of * between digits is CommonMark's: a lone one stays, two are emphasis, whatever was meant.
TEST_F(Markdown, TakesStarsInsideAWordAsEmphasis) {
  EXPECT_EQ(import("**Note**s on un*frigging*believable things").text, "Notes on unfriggingbelievable things");
  EXPECT_EQ(import("5*12*3 and 5\\*12\\*3").text, "5123 and 5*12*3");
  EXPECT_EQ(import("(_a_) and „_c_“").text, "(a) and „c“");
}

TEST_F(Markdown, PairsMarksAsCommonMarkDoes) {
  EXPECT_EQ(import("***all* of** it").text, "all of it");
  EXPECT_EQ(import("*foo**bar*").text, "foo**bar");
  EXPECT_EQ(import("foo******bar*********baz").text, "foobar***baz");
  EXPECT_EQ(import("**foo*").text, "*foo");
  EXPECT_EQ(import("*foo**").text, "foo*");
  EXPECT_EQ(import("**a _b** c_").text, "a _b c_");
  EXPECT_EQ(import("*(*foo*)*, _foo_bar_baz_").text, "(foo), foo_bar_baz");
}

TEST_F(Markdown, PairsNoMarksOfDifferentItemsOrCells) {
  for (const char* text :
       {"- 5*12\n- 3*4", "* a*b\n* c*d", "1. 5*12\n2. 3*4", "| 5*12 | 3*4 |\n|---|---|\n| 6*7 | *a |"}) {
    EXPECT_EQ(import(text).text, text);
  }
  EXPECT_EQ(import("text *a\nb*\n- *c*\n  *d\n  e*\n\n| **x** | `y` |").text,
            "text a\nb\n- c\n  d\n  e\n\n| x | y |");
}

TEST_F(Markdown, TakesEmphasisOverLinesAndInsideScriptsWithoutSpaces) {
  EXPECT_EQ(import("**a bold\nremark** and *one*").text, "a bold\nremark and one");
  EXPECT_EQ(import("这是**重点**内容").text, "这是重点内容");
  EXPECT_EQ(import("这是**重点。**内容，**「重点」**内容（_重点_）").text,
            "这是重点。内容，「重点」内容（重点）");
}

TEST_F(Markdown, LosesNoLineToWhatLooksLikeAFence) {
  EXPECT_EQ(import("```command --all```\n\n## Next\n\ntext").text, "command --all\n\nNext\n\ntext");
  EXPECT_EQ(import("```\na\n``` b\n```\nc").text, "a\n``` b\n\nc");
}

// What ends code or a link is looked for within reach, and no run of marks is looked at in vain twice.
TEST_F(Markdown, TakesNoLongerForMarksThatCloseNothing) {
  for (const char* mark : {"[", "[a](", "[a][", "[[]", "*a ", "_a ", "*a_ ", "_a* "}) {
    std::string text;
    while (text.size() < 300'000) text += mark;
    EXPECT_GT(import(text + "]").text.size(), 250'000u) << mark;
  }
}

TEST_F(Markdown, KeepsListsAndTables) {
  EXPECT_EQ(import("- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |").text,
            "- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |");
}

TEST_F(Markdown, LeavesOutFrontMatter) { EXPECT_EQ(import("---\ntitle: x\n---\ntext").text, "text"); }

TEST_F(Markdown, KeepsWhatStandsBetweenTwoRules) {
  EXPECT_EQ(import("---\nthe budget is 42\n\n---\ntext").text, "the budget is 42\n\ntext");
}

}  // namespace
}  // namespace kvasir
