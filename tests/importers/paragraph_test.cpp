#include <gtest/gtest.h>

#include "tests/importers/placed.h"

namespace kvasir {
namespace {

/// The lines, and elsewhere on the page a paragraph with the words in question.
std::string joined(const std::vector<std::u32string>& lines,
                   const std::vector<std::u32string>& elsewhere = {}) {
  PlacedPage page{612, 792, {}};
  placeLines(page, lines, 60, 100);
  placeLines(page, elsewhere, 60, 400);
  const std::string text = textOf(page);
  return text.substr(0, text.find("\n\n"));
}

TEST(Paragraphs, JoinTheirLinesByASpace) {
  EXPECT_EQ(joined({U"these lines belong to one and the", U"same paragraph of the text."}),
            "these lines belong to one and the same paragraph of the text.");
}

TEST(Paragraphs, AreDividedByAGap) {
  PlacedPage page{612, 792, {}};
  placeLines(page, {U"one paragraph with two lines that", U"are full of words to their ends."}, 60, 100);
  placeLines(page, {U"another paragraph with two lines", U"which are full of words as well."}, 60, 136);
  EXPECT_NE(textOf(page).find("their ends.\n\nanother"), std::string::npos);
}

TEST(Paragraphs, AreDividedByAnIndentedFirstLine) {
  PlacedPage page{612, 792, {}};
  placeLines(page, {U"one paragraph with two lines that", U"are full of words to their ends."}, 60, 100);
  placeLine(page, U"Another paragraph that is set in", 75, 124);
  placeLine(page, U"which goes on at the left margin.", 60, 136);
  EXPECT_NE(textOf(page).find("their ends.\n\nAnother"), std::string::npos);
}

TEST(Paragraphs, KeepLinesThatWereEndedOnPurpose) {
  EXPECT_EQ(joined({U"First short", U"Second", U"A third line which is much longer"}),
            "First short\nSecond\nA third line which is much longer");
}

TEST(Paragraphs, KeepTheItemsOfAListApart) {
  EXPECT_EQ(joined({U"• one thing of a list that is long", U"• another thing of the same list it"}),
            "• one thing of a list that is long\n• another thing of the same list it");
}

TEST(Paragraphs, GoOnOverAPageEnd) {
  PlacedPage first{612, 200, {}}, second{612, 200, {}};
  placeLines(first, {U"a sentence that goes on from line", U"to line and from one page to the"}, 60, 100);
  placeLines(second, {U"next without an end in between and", U"then stops."}, 60, 60);
  const Document document = documentOf({first, second});
  EXPECT_NE(document.text.find("one page to the next without"), std::string::npos);
  EXPECT_EQ(document.pages[1].start, document.text.find("next"));
}

TEST(Hyphens, ThatDivideAWordGo) {
  EXPECT_EQ(joined({U"a program in its early devel-", U"opment has many small errors"}),
            "a program in its early development has many small errors");
}

TEST(Hyphens, OfACompoundSeenElsewhereStay) {
  EXPECT_EQ(joined({U"this is one of the more well-", U"known stories of that time"},
                   {U"his well-known name helped him a", U"lot in those days, as one might"}),
            "this is one of the more well-known stories of that time");
}

TEST(Hyphens, BeforeACapitalStay) {
  EXPECT_EQ(joined({U"the treaty was named Anglo-", U"French by those who wrote it"}),
            "the treaty was named Anglo-French by those who wrote it");
}

TEST(Hyphens, OfACompoundKnownByItsPartsStay) {
  EXPECT_EQ(joined({U"they tried a special mixed-", U"mode of operation for a while"},
                   {U"the mode was a mixed one as they", U"are in such cases now and then."}),
            "they tried a special mixed-mode of operation for a while");
}

TEST(Hyphens, ThatAreSoftJoinTheLines) {
  EXPECT_EQ(joined({U"words with optional hy\u00ADphens or with some divi\u00AD",
                    U"sion at the end of the line are joined at once"}),
            "words with optional hyphens or with some division at the end of the line are joined at once");
}

TEST(Hyphens, DividedWordsAreTwoWordsWithoutASpace) {
  PlacedPage page{612, 792, {}};
  placeLines(page, {U"a program in its early devel-", U"opment has many small errors"}, 60, 100);
  const Document document = documentOf({page});
  const std::size_t at = document.text.find("development");
  std::size_t parts = 0;
  for (const Word& word : document.words) parts += word.start >= at && word.end <= at + 11 ? 1 : 0;
  EXPECT_EQ(parts, 2u);
}

}  // namespace
}  // namespace kvasir
