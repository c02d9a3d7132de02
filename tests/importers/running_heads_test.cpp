#include "importers/running_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/importers/placed.h"

namespace kvasir {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Pages of text with a head over and a number under it.
std::vector<PlacedPage> book(int count, const std::u32string& head, int firstNumber) {
  std::vector<PlacedPage> pages;
  for (int i = 0; i < count; ++i) {
    PlacedPage page{612, 792, {}};
    if (!head.empty()) placeLine(page, head, 60, 40);
    const std::u32string letter(1, static_cast<char32_t>(U'a' + i));
    placeLines(page,
               {U"Page " + letter + letter + U" has words of its own",
                U"which are not on other " + letter + letter + U"."},
               60, 100);
    const std::string number = std::to_string(firstNumber + i);
    placeLine(page, std::u32string(number.begin(), number.end()), 300, 750);
    pages.push_back(page);
  }
  return pages;
}

TEST(RunningHeads, ThatRecurAreLeftOut) {
  EXPECT_THAT(documentOf(book(4, U"The Title of the Book", 1)).text, Not(HasSubstr("Title")));
}

TEST(RunningHeads, WithNumbersThatCountAreLeftOut) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    placeLine(pages[i], U"Report for the year, page " + std::u32string(1, static_cast<char32_t>(U'1' + i)), 60,
              40);
  }
  EXPECT_THAT(documentOf(pages).text, Not(HasSubstr("Report")));
}

TEST(RunningHeads, ThatStandOnTwoPagesOnlyAreText) {
  EXPECT_THAT(documentOf(book(2, U"The Title of the Book", 1)).text, HasSubstr("Title"));
}

TEST(RunningHeads, DoNotTakeTheBodyWithThem) {
  const std::string text = documentOf(book(4, U"The Title of the Book", 1)).text;
  EXPECT_THAT(text, HasSubstr("Page aa has words of its own which are not on other aa."));
  EXPECT_THAT(text, HasSubstr("Page dd has words"));
}

TEST(PageNumbers, AreLeftOutThoughTheyDoNotBeginWithOne) {
  EXPECT_THAT(documentOf(book(4, U"", 117)).text, Not(HasSubstr("118")));
}

TEST(PageNumbers, OfASinglePageAreKnownByItsLabel) {
  EXPECT_THAT(documentOf(book(1, U"", 1)).text, Not(HasSubstr("1")));
}

TEST(PageNumbers, AreNotTheNumbersOfText) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  placeLine(pages[1], U"1984", 60, 60);
  EXPECT_THAT(documentOf(pages).text, HasSubstr("1984"));
}

}  // namespace
}  // namespace kvasir
