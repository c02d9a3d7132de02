#include "importers/running_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/importers/placed.h"

namespace kvasir {
namespace {

using testing::AllOf;
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

TEST(RunningHeads, WithANumberThatCountsBesideOthersAreLeftOut) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::u32string digit(1, static_cast<char32_t>(U'3' + i));
    placeLine(pages[i], U"Chapter 5 of the Report, A-1" + digit, 60, 40);
  }
  EXPECT_THAT(documentOf(pages).text, Not(HasSubstr("Report")));
}

TEST(RunningHeads, AreNoRowsOfTablesThatGoOverPages) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::u32string digit(1, static_cast<char32_t>(U'1' + i * i % 7));
    placeLine(pages[i], U"70" + digit + U" 8" + digit + U"5 91" + digit, 60, 40);
  }
  EXPECT_THAT(documentOf(pages).text, HasSubstr("702 825 912"));
}

TEST(RunningHeads, AreNoLinesWhoseNumbersDoNotCount) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  const std::u32string numbers[] = {U"1042", U"1057", U"1043", U"2001"};
  for (std::size_t i = 0; i < pages.size(); ++i) placeLine(pages[i], U"Invoice No " + numbers[i], 60, 40);
  EXPECT_THAT(documentOf(pages).text, HasSubstr("Invoice No 1057"));
}

TEST(RunningHeads, AreNoTitlesOfSlides) {
  std::vector<PlacedPage> pages = book(12, U"", 1);
  for (PlacedPage& page : pages) page.width = 1056;
  for (std::size_t i = 0; i < pages.size(); ++i)
    placeLine(pages[i], i < 9 ? U"Topic " + std::u32string(1, static_cast<char32_t>(U'a' + i)) : U"Results", 60,
              40, 20);
  EXPECT_THAT(documentOf(pages).text, HasSubstr("Results"));
}

TEST(RunningHeads, AreNoTitlesThatRecurInText) {
  std::vector<PlacedPage> pages = book(12, U"", 1);
  for (const std::size_t i : {1, 2, 5, 8}) placeLine(pages[i], U"Results", 60, 40, 20);
  EXPECT_THAT(documentOf(pages).text, HasSubstr("Results"));
}

TEST(RunningHeads, MayBeLargeOnMostPagesOrPagesThatFollowEachOther) {
  std::vector<PlacedPage> pages = book(12, U"", 1);
  for (std::size_t i = 0; i < pages.size(); i += 2) placeLine(pages[i], U"The Company", 60, 40, 20);
  for (const std::size_t i : {3, 4, 5}) placeLine(pages[i], U"Results", 60, 60, 20);
  EXPECT_THAT(documentOf(pages).text, AllOf(Not(HasSubstr("Company")), Not(HasSubstr("Results"))));
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

TEST(PageNumbers, MayBeInDigitsOfAnotherScript) {
  std::vector<PlacedPage> pages = book(4, U"", 1);
  for (std::size_t i = 0; i < pages.size(); ++i)
    placeLine(pages[i], std::u32string{U'\u0661', static_cast<char32_t>(U'\u0662' + i)}, 300, 40);
  EXPECT_THAT(documentOf(pages).text, Not(HasSubstr("\u0661")));
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
