#include "importers/font_codes.h"

#include <gtest/gtest.h>

namespace kvasir {
namespace {

TEST(FontCodes, OfSymbolAreThoseOfAdobe) {
  for (const auto& [code, read] : {std::pair{0xF061, U'α'},
                                   {0xF06D, U'μ'},
                                   {0xF07E, U'∼'},
                                   {0xF0A0, U'€'},
                                   {0xF0A3, U'≤'},
                                   {0xF0B1, U'±'},
                                   {0xF0B7, U'•'},
                                   {0xF0CE, U'∈'},
                                   {0xF0DE, U'⇒'},
                                   {0xF0E5, U'∑'},
                                   {0xF0F2, U'∫'},
                                   {0xF020, U' '}})
    EXPECT_EQ(readableCode(static_cast<char32_t>(code), "ABCDEF+SymbolMT"), read) << code;
  EXPECT_EQ(readableCode(0xF0F8, "Symbol"), 0xF0F8);
}

TEST(FontCodes, OfOtherFontsAreTakenForNoLetters) {
  for (const char* font : {"Wingdings", "ABCDEF+Symbola", "Webdings", ""})
    EXPECT_EQ(readableCode(0xF061, font), 0xF061) << font;
  EXPECT_EQ(readableCode(0xF0A7, "Wingdings-Regular"), U'•');
}

TEST(FontCodes, OfFiguresAndSmallCapitalsAreTheLettersTheyShow) {
  EXPECT_EQ(readableCode(0xF730, "MinionExp"), U'0');
  EXPECT_EQ(readableCode(0xF739, ""), U'9');
  EXPECT_EQ(readableCode(0xF761, "MinionExp"), U'a');
  EXPECT_EQ(readableCode(0xF7E9, "MinionExp"), U'é');
  EXPECT_EQ(readableCode(0xF769, "FontAwesome5Free-Solid"), 0xF769);
  EXPECT_EQ(readableCode(U'a', "Symbol"), U'a');
}

}  // namespace
}  // namespace kvasir
