#include "importers/document.h"

#include <gtest/gtest.h>

namespace kvasir {
namespace {

Document threePages() {
  Document document;
  document.text = "first page\n\nsecond\n\nthird";
  document.pages = {{"i", 100, 200, 0, 12}, {"1", 100, 200, 12, 20}, {"2", 100, 200, 20, 25}};
  document.sections = {{"Part", 1, 0}, {"Chapter", 2, 5}, {"Next part", 1, 12}};
  return document;
}

TEST(Pages, OfARangeAreThoseItTouches) {
  const auto range = pagesOf(threePages(), 5, 13);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 0);
  EXPECT_EQ(range->last, 1);
}

TEST(Pages, OfARangeThatEndsWithAPageDoNotHoldTheNext) {
  const auto range = pagesOf(threePages(), 0, 12);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->last, 0);
}

TEST(Pages, OfAnEmptyRangeAreOne) {
  const auto range = pagesOf(threePages(), 20, 20);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 2);
  EXPECT_EQ(range->last, 2);
}

TEST(Pages, AreNothingInADocumentWithoutPages) { EXPECT_FALSE(pagesOf(Document{}, 0, 1)); }

TEST(Sections, AreNamedFromTheHighestLevelDown) {
  EXPECT_EQ(sectionOf(threePages(), 6), (std::vector<std::string>{"Part", "Chapter"}));
}

TEST(Sections, EndWhereAHigherOneBegins) {
  EXPECT_EQ(sectionOf(threePages(), 12), (std::vector<std::string>{"Next part"}));
}

TEST(Sections, AreEmptyBeforeTheFirstHeading) {
  Document document = threePages();
  document.sections.erase(document.sections.begin(), document.sections.begin() + 2);
  EXPECT_TRUE(sectionOf(document, 3).empty());
}

}  // namespace
}  // namespace kvasir
