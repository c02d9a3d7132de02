#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/importer.h"
#include "importers/language.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

class Text : public testing::Test {
 protected:
  Document import(std::string_view bytes) { return importFile(folder_.write("made.txt", bytes)); }
  Folder folder_{"text"};
};

TEST_F(Text, KeepsItsLinesAndDividesParagraphsByOneBlankLine) {
  const Document document = import("one\r\ntwo  \r\n\r\n\r\n\r\nthree\n");
  EXPECT_EQ(document.format, "text");
  EXPECT_EQ(document.text, "one\ntwo\n\nthree");
  EXPECT_EQ(document.title, "made");
}

TEST_F(Text, EndsAParagraphAtAFormFeed) { EXPECT_EQ(import("one\ftwo").text, "one\n\ntwo"); }

TEST_F(Text, MayHaveAByteOrderMark) { EXPECT_EQ(import("\xEF\xBB\xBFtext").text, "text"); }

TEST_F(Text, MayBeUtf16) {
  using namespace std::string_view_literals;
  EXPECT_EQ(import("\xFF\xFEh\0\xE9\0"sv).text, "hé");
  EXPECT_EQ(import("h\0e\0l\0l\0o\0"sv).text, "hello");
}

TEST_F(Text, MayBeInAnOlderEncoding) {
  EXPECT_EQ(import("Les \xE9l\xE8ves sont all\xE9s \xE0 la plage et ils ont mang\xE9 des cr\xEApes.").text,
            "Les élèves sont allés à la plage et ils ont mangé des crêpes.");
}

TEST_F(Text, InUtf8StaysSoThoughAByteIsDamaged) {
  EXPECT_EQ(import("à é è ê ç ô û ï ë ù “à la plage” \xE9 fin").text,
            "à é è ê ç ô û ï ë ù “à la plage” \uFFFD fin");
  EXPECT_EQ(import("“déjà vu” \uFFFD").text, "“déjà vu” \uFFFD");
}

// ICU looks at the beginning only, and takes what holds no dash there for ISO 8859-1.
TEST_F(Text, InAnOlderEncodingKeepsPunctuationFarBehind) {
  std::string text;
  while (text.size() < 120'000)
    text += "Les \xE9l\xE8ves sont all\xE9s \xE0 la plage et ils ont mang\xE9 des cr\xEApes.\n";
  EXPECT_TRUE(import(text + "l\x92\xE9t\xE9 \x96 100 \x80").text.ends_with("l’été – 100 €"));
}

TEST_F(Text, IsComposed) {
  EXPECT_EQ(import("cafe\xCC\x81 o\xEF\xAC\x83"
                   "ce")
                .text,
            "café office");
}

TEST(Language, IsKnownByItsScript) {
  EXPECT_EQ(languageOf("吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"), "ja");
  EXPECT_EQ(languageOf("الفصل الثاني ما هو السرطان"), "ar");
}

TEST(Language, IsKnownByItsCommonWords) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += "Der Hund und die Katze sind nicht auf dem Dach. ";
  EXPECT_EQ(languageOf(text), "de");
}

TEST(Language, IsUnknownForTooLittleText) { EXPECT_EQ(languageOf("ok"), ""); }

TEST(Language, ThatAFileNamesIsNotBelievedAgainstItsScript) {
  EXPECT_EQ(languageOf("这是一个很长的中文句子，没有英文。", "en"), "zh");
  EXPECT_EQ(languageOf("The dog and the cat", "en-GB"), "en-GB");
}

TEST(Language, IsWrittenAsATag) {
  EXPECT_EQ(languageTag(" en_US.UTF-8"), "en-US");
  EXPECT_EQ(languageTag("no language at all"), "");
}

}  // namespace
}  // namespace kvasir
