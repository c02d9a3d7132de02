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

TEST_F(Markdown, KeepsMarksThatAreNoEmphasis) {
  EXPECT_EQ(import("snake_case_name and 2 * 3 * 4").text, "snake_case_name and 2 * 3 * 4");
}

TEST_F(Markdown, KeepsListsAndTables) {
  EXPECT_EQ(import("- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |").text,
            "- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |");
}

TEST_F(Markdown, LeavesOutFrontMatter) { EXPECT_EQ(import("---\ntitle: x\n---\ntext").text, "text"); }

}  // namespace
}  // namespace kvasir
