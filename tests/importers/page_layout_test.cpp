#include "importers/page_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/importers/placed.h"

namespace kvasir {
namespace {

using testing::HasSubstr;

const std::vector<std::u32string> kLeft = {
    U"the left column has lines of words", U"that all fill it nearly to the end",
    U"and go on without a paragraph here", U"until at last the sentence leaves"};
const std::vector<std::u32string> kRight = {
    U"for the right column and continues", U"there with other words that do the",
    U"same and fill the lines just as we", U"would expect of any second column."};

PlacedPage twoColumns() {
  PlacedPage page{612, 792, {}};
  placeLines(page, kLeft, 60, 100);
  placeLines(page, kRight, 320, 100);
  return page;
}

TEST(Layout, ReadsTheLeftColumnBeforeTheRight) {
  EXPECT_THAT(textOf(twoColumns()), HasSubstr("the sentence leaves for the right column"));
}

TEST(Layout, ReadsColumnsWhoseLinesAreOffsetByHalfALine) {
  PlacedPage page{612, 792, {}};
  placeLines(page, kLeft, 60, 100);
  placeLines(page, kRight, 320, 106);
  EXPECT_THAT(textOf(page), HasSubstr("the sentence leaves for the right column"));
}

TEST(Layout, ReadsThreeColumnsInOrder) {
  PlacedPage page{800, 792, {}};
  placeLines(page, kLeft, 40, 100);
  placeLines(page, kRight, 260, 100);
  placeLines(page,
             {U"Third column begins here and there", U"with lines that are as long as the",
              U"others were on this wide page that", U"has three of them side by side yes"},
             480, 100);
  const std::string text = textOf(page);
  EXPECT_THAT(text, HasSubstr("leaves for the right column"));
  EXPECT_LT(text.find("second column."), text.find("Third column"));
}

TEST(Layout, ReadsAHeadingOverBothColumnsFirst) {
  PlacedPage page = twoColumns();
  placeLine(page, U"A heading that goes over both of the columns of this page", 150, 84);
  const std::string text = textOf(page);
  EXPECT_EQ(text.find("A heading that goes over both of the columns of this page"), 0u);
  EXPECT_THAT(text, HasSubstr("the sentence leaves for the right column"));
}

TEST(Layout, KeepsTheRowsOfATable) {
  PlacedPage page{612, 792, {}};
  placeLines(page, {U"apples", U"pears", U"plums"}, 60, 100);
  placeLines(page, {U"12", U"7", U"130"}, 300, 100);
  EXPECT_EQ(textOf(page), "apples\t12\npears\t7\nplums\t130");
}

TEST(Layout, ReadsLinesOfVerticalJapaneseFromTheRight) {
  PlacedPage page{300, 400, {}};
  const std::vector<std::u32string> columns = {U"一二三", U"四五六"};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    PlacedWord word;
    word.size = 10;
    word.rotation = 1;
    const float right = 200 - 16 * static_cast<float>(c);
    for (std::size_t i = 0; i < columns[c].size(); ++i) {
      const float top = 50 + 10 * static_cast<float>(i);
      word.glyphs.push_back({columns[c][i], {right - 10, top, right, top + 10}});
    }
    page.words.insert(page.words.begin(), word);
  }
  EXPECT_EQ(textOf(page), "一二三四五六");
}

TEST(Layout, PutsArabicIntoTheOrderOfReading) {
  PlacedPage page{612, 792, {}};
  // Drawn from left to right: the last word first, each word backwards.
  page.words.push_back(placedWord(U"\u0645\u0644\u0627\u0639", 60, 100));        // ملاع
  page.words.push_back(placedWord(U"\u0627\u0628\u062D\u0631\u0645", 85, 100));  // ابحرم
  EXPECT_EQ(textOf(page), "مرحبا عالم");
}

TEST(Layout, KeepsNumbersWithinArabicAsTheyAre) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"2023", 60, 100));
  page.words.push_back(placedWord(U"\u0645\u0627\u0639", 85, 100));
  EXPECT_EQ(textOf(page), "عام 2023");
}

TEST(Layout, TurnsBracketsWithinArabicRound) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"(\u0629)\u0648", 60, 100));
  EXPECT_EQ(textOf(page), "و(ة)");
}

TEST(Layout, GivesTheLettersOfALigatureAPartOfItsBoxEach) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"o\uFB03ce", 60, 100));
  const Document document = documentOf({page});
  EXPECT_EQ(document.text, "office");
  ASSERT_EQ(document.words.size(), 1u);
  ASSERT_EQ(document.words[0].characters.size(), 6u);
  EXPECT_FLOAT_EQ(document.words[0].characters[1].left, 65);
  EXPECT_FLOAT_EQ(document.words[0].characters[3].right, 70);
}

TEST(Layout, ComposesAccentsAndKeepsOneBoxACharacter) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"cafe\u0301s", 60, 100));
  const Document document = documentOf({page});
  EXPECT_EQ(document.text, "cafés");
  EXPECT_EQ(document.words[0].characters.size(), 5u);
}

TEST(Layout, ComposesAnAccentOverAnIWithoutItsDot) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"na\u0131\u0308ve", 60, 100));
  EXPECT_EQ(textOf(page), "naïve");
}

TEST(Layout, SetsNoSpacesBetweenWordsOfChinese) {
  PlacedPage page{612, 792, {}};
  page.words.push_back(placedWord(U"\u4E2D\u6587", 60, 100));
  page.words.push_back(placedWord(U"\u6587\u672C", 72, 100));
  EXPECT_EQ(textOf(page), "中文文本");
}

TEST(Layout, ClipsBoxesToThePageAndDropsWhatIsOutside) {
  PlacedPage page{100, 100, {}};
  page.words.push_back(placedWord(U"inside", 80, 50));
  page.words.push_back(placedWord(U"outside", 180, 50));
  const Document document = documentOf({page});
  EXPECT_EQ(document.text, "inside");
  EXPECT_LE(document.words[0].box.right, 100);
}

TEST(Layout, PutsFootnotesAfterTheBodyOfBothColumns) {
  PlacedPage page = twoColumns();
  placeLine(page, U"1 A note below the left column.", 60, 700, 7);
  const std::string text = textOf(page);
  EXPECT_THAT(text, HasSubstr("the sentence leaves for the right column"));
  EXPECT_LT(text.find("second column."), text.find("1 A note"));
}

}  // namespace
}  // namespace kvasir
