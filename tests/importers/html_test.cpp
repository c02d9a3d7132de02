#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/importer.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

using testing::HasSubstr;

class HtmlFile : public testing::Test {
 protected:
  Document import(std::string_view bytes) { return importFile(folder_.write("made.html", bytes)); }
  Folder folder_{"html"};
};

TEST_F(HtmlFile, IsReadWithoutItsTags) {
  const Document document = import(
      "<!DOCTYPE html><title>The\n &lt;Page&gt; &amp; "
      "more</title><body><h1>One</h1><p>a<b>b</b></p><h2>Two</h2><p>c</p>");
  EXPECT_EQ(document.format, "html");
  EXPECT_EQ(document.title, "The <Page> & more");
  EXPECT_EQ(document.text, "One\n\nab\n\nTwo\n\nc");
  ASSERT_EQ(document.sections.size(), 2u);
  EXPECT_EQ(document.sections[1].level, 2);
  ASSERT_EQ(document.anchors.size(), 4u);
  EXPECT_EQ(document.anchors[1].location, "#/4/4");
}

TEST_F(HtmlFile, WithoutATitleHasThatOfItsFirstHeading) {
  EXPECT_EQ(import("<p>a</p><h2>Two</h2>").title, "Two");
  EXPECT_EQ(import("<p>a</p>").title, "made");
}

TEST_F(HtmlFile, WithoutTextIsRefused) {
  try {
    import("<script>write()</script>");
    FAIL() << "was imported";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("made.html has no text"));
  }
}

TEST_F(HtmlFile, IsKnownByItsSuffix) {
  EXPECT_EQ(importFile(folder_.write("made.txt", "<p>a</p>")).text, "<p>a</p>");
  EXPECT_EQ(importFile(folder_.write("made.xhtml", "<p>a</p>")).text, "a");
}

}  // namespace
}  // namespace kvasir
