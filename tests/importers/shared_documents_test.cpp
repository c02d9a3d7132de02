/// Properties that hold for every document, on public files of many kinds that are too large for this
/// repository.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "importers/importer.h"
#include "importers/unicode.h"

namespace kvasir {
namespace {

using testing::HasSubstr;
using testing::Not;

std::filesystem::path folder() {
  return std::filesystem::path(KVASIR_SOURCE) / ".." / "shared" / "data" / "docs";
}

constexpr const char* kMissing = "the shared documents are not beside this checkout";

/// Each file is imported once for all tests.
const Document& documentOf(const std::string& name) {
  static std::map<std::string, Document> documents;
  const auto found = documents.find(name);
  if (found != documents.end()) return found->second;
  return documents.emplace(name, importFile(folder() / name)).first->second;
}

std::size_t codePoints(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class EveryDocument : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder())) GTEST_SKIP() << kMissing;
  }
  const Document& document() const { return documentOf(GetParam()); }
};

TEST_P(EveryDocument, HasValidComposedText) {
  const std::string& text = document().text;
  ASSERT_FALSE(text.empty());
  UErrorCode error = U_ZERO_ERROR;
  const auto unicode = icu::UnicodeString::fromUTF8(text);
  std::string back;
  unicode.toUTF8String(back);
  EXPECT_EQ(back, text);
  EXPECT_TRUE(icu::Normalizer2::getNFCInstance(error)->isNormalized(unicode, error));
}

TEST_P(EveryDocument, HasNoLigaturesAndSoftHyphens) {
  EXPECT_EQ(document().text.find("\u00AD"), std::string::npos);
  for (const char* ligature : {"\uFB00", "\uFB01", "\uFB02", "\uFB03", "\uFB04", "\uFB05", "\uFB06"}) {
    EXPECT_EQ(document().text.find(ligature), std::string::npos);
  }
}

TEST_P(EveryDocument, HasWordsInOrderWithABoxForEachCharacter) {
  std::size_t last = 0;
  for (const Word& word : document().words) {
    ASSERT_LE(last, word.start);
    ASSERT_LT(word.start, word.end);
    ASSERT_LE(word.end, document().text.size());
    last = word.end;
    ASSERT_EQ(word.characters.size(),
              codePoints(std::string_view(document().text).substr(word.start, word.end - word.start)));
  }
}

TEST_P(EveryDocument, HasPagesThatFollowEachOther) {
  if (document().pages.empty()) return;
  std::size_t last = 0;
  for (const Page& page : document().pages) {
    EXPECT_EQ(page.start, last);
    EXPECT_LE(page.start, page.end);
    EXPECT_FALSE(page.label.empty());
    last = page.end;
  }
  EXPECT_EQ(last, document().text.size());
}

TEST_P(EveryDocument, HasEachCharacterOfAPageInAWordOfThatPage) {
  if (document().pages.empty()) return;
  std::vector<bool> covered(document().text.size());
  for (const Word& word : document().words) {
    const Page& page = document().pages.at(static_cast<std::size_t>(word.page));
    ASSERT_GE(word.start, page.start);
    ASSERT_LE(word.end, page.end);
    std::fill(covered.begin() + static_cast<std::ptrdiff_t>(word.start),
              covered.begin() + static_cast<std::ptrdiff_t>(word.end), true);
  }
  for (std::size_t i = 0; i < covered.size(); ++i) {
    const bool isSpace = std::string_view(" \n\t").find(document().text[i]) != std::string_view::npos;
    ASSERT_EQ(covered[i], !isSpace) << "at byte " << i;
  }
}

TEST_P(EveryDocument, HasBoxesWithinItsPages) {
  for (const Word& word : document().words) {
    const Page& page = document().pages.at(static_cast<std::size_t>(word.page));
    for (const Box& box : word.characters) {
      ASSERT_TRUE(box.left >= 0 && box.top >= 0 && box.right <= page.width + 0.1f &&
                  box.bottom <= page.height + 0.1f);
      ASSERT_TRUE(box.left <= box.right && box.top <= box.bottom);
    }
  }
}

TEST_P(EveryDocument, HasSectionsAndAnchorsInOrder) {
  const auto byStart = [](const auto& a, const auto& b) { return a.start < b.start; };
  EXPECT_TRUE(std::is_sorted(document().sections.begin(), document().sections.end(), byStart));
  EXPECT_TRUE(std::is_sorted(document().anchors.begin(), document().anchors.end(), byStart));
  for (const Section& section : document().sections) {
    EXPECT_LT(section.start, document().text.size());
    EXPECT_FALSE(section.title.empty());
    EXPECT_GE(section.level, 1);
  }
}

TEST_P(EveryDocument, DividesParagraphsByOneBlankLine) {
  if (document().format != "pdf") return;
  EXPECT_EQ(document().text.find("\n\n\n"), std::string::npos);
  EXPECT_EQ(document().text.find(" \n"), std::string::npos);
}

TEST_P(EveryDocument, IsTheSameWhenImportedAgain) {
  if (document().pages.size() > 150) return;  // the small ones show it as well
  const Document again = importFile(folder() / GetParam());
  EXPECT_EQ(again.text, document().text);
  EXPECT_EQ(again.words.size(), document().words.size());
  ASSERT_EQ(again.anchors.size(), document().anchors.size());
  for (std::size_t i = 0; i < again.anchors.size(); ++i)
    EXPECT_EQ(again.anchors[i].location, document().anchors[i].location);
}

INSTANTIATE_TEST_SUITE_P(
    Shared, EveryDocument,
    testing::Values("tracemonkey_two_column.pdf", "freeculture_book.pdf", "debian_reference_en.pdf",
                    "r_intro.pdf", "debmake_doc_ja.pdf", "geotopo_de.pdf", "opm_performance_report_tables.pdf",
                    "clinical_protocol_en_ar.pdf", "hhs_strategic_plan.pdf", "damaged_zen_of_python.pdf",
                    "arabic_habibi.pdf", "latex_multicolumn.pdf", "soft_hyphens.pdf", "rotated_page.pdf",
                    "ligatures.pdf", "japanese_vertical.pdf", "jekyll_and_hyde.epub",
                    "pride_and_prejudice.epub", "sherlock_holmes_adventures.epub",
                    "regime_anticancer_arabic.epub", "epub30_spec.epub", "debmake_doc_zh_cn.epub",
                    "developers_reference_ja.epub", "tiny_tika.epub"),
    [](const auto& row) {
      std::string name = row.param;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

class SharedDocuments : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder())) GTEST_SKIP() << kMissing;
  }
  static std::string refusal(const std::string& name) {
    try {
      importFile(folder() / name);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "was imported";
  }
};

TEST_F(SharedDocuments, WithAPasswordSayHowToGoOn) {
  EXPECT_THAT(refusal("encrypted_aes256_pw_foo_or_baz.pdf"), HasSubstr("protected by a password"));
}

TEST_F(SharedDocuments, ThatAreScansSayHowToGoOn) {
  EXPECT_THAT(refusal("scan_one_page_no_text.pdf"), HasSubstr("ocrmypdf"));
  EXPECT_THAT(refusal("derived_scan_r_lang_p12-17.pdf"), HasSubstr("ocrmypdf"));
}

TEST_F(SharedDocuments, ThatAreDamagedSaySo) {
  EXPECT_THAT(refusal("corrupted_no_trailer.pdf"), HasSubstr("damaged"));
}

TEST_F(SharedDocuments, InTwoColumnsReadOnFromColumnToColumn) {
  const std::string& text = documentOf("tracemonkey_two_column.pdf").text;
  // From one column to the next, over a line's end with a hyphen, and from page to page.
  EXPECT_THAT(text, HasSubstr("the system starts running JavaScript in a fast-starting bytecode interpreter."));
  EXPECT_THAT(
      text,
      HasSubstr(
          "Since no concrete type information is available, traditional compilers need to emit generic code"));
  EXPECT_THAT(text, HasSubstr("machine code that can deal with all potential type combinations."));
  EXPECT_LT(text.find("Abstract"), text.find("1. Introduction"));
  EXPECT_LT(text.find("1. Introduction"), text.find("Permission to make digital or hard copies"));
}

TEST_F(SharedDocuments, InColumnsOfSeveralWidthsReadOnFromColumnToColumn) {
  const std::string& text = documentOf("latex_multicolumn.pdf").text;
  EXPECT_THAT(text, HasSubstr("Nam dui ligula, fringilla a, euismod sodales, sollicitudin vel, wisi."));
  EXPECT_THAT(text, HasSubstr("Quisque egestas wisi eget nunc. Nam feugiat lacus vel est."));
}

TEST_F(SharedDocuments, KeepWordsThatAreSpelledWithAHyphen) {
  EXPECT_THAT(documentOf("freeculture_book.pdf").text,
              HasSubstr("frequency-modulated (FM) radio could never work"));
}

TEST_F(SharedDocuments, LeaveOutRunningHeads) {
  EXPECT_THAT(documentOf("freeculture_book.pdf").text, Not(HasSubstr("FREE CULTURE\n\nof")));
  EXPECT_THAT(documentOf("r_intro.pdf").text, Not(HasSubstr("Chapter 3: Objects, their modes and attributes")));
}

TEST_F(SharedDocuments, ReadVerticalJapaneseFromTheRight) {
  const std::string& text = documentOf("japanese_vertical.pdf").text;
  EXPECT_LT(text.find("わたくしといふ現象は"), text.find("假定された有機交流電燈の"));
  EXPECT_LT(text.find("假定された有機交流電燈の"), text.find("ひとつの青い照明です"));
}

TEST_F(SharedDocuments, ReadArabicInItsOrder) {
  EXPECT_THAT(documentOf("clinical_protocol_en_ar.pdf").text, HasSubstr("موافقة للاشتراك في البحث العلمي"));
  EXPECT_THAT(documentOf("arabic_habibi.pdf").text, HasSubstr("حَبيبي habibi"));
}

TEST_F(SharedDocuments, HaveTheSectionsOfTheirOutline) {
  const Document& document = documentOf("debian_reference_en.pdf");
  const std::size_t place = document.text.find("MC takes care of all file operations through its menu");
  ASSERT_NE(place, std::string::npos);
  const auto titles = sectionOf(document, place);
  ASSERT_FALSE(titles.empty());
  EXPECT_EQ(titles.back(), "Starting MC");
}

/// The beginning of some documents, read by a person once. UPDATE_GOLDEN=1 writes them anew: read the
/// difference.
class GoldenText : public testing::TestWithParam<std::pair<const char*, std::size_t>> {};

TEST_P(GoldenText, IsAsItWas) {
  if (!std::filesystem::exists(folder())) GTEST_SKIP() << kMissing;
  const auto& [name, length] = GetParam();
  std::string text = documentOf(name).text.substr(0, length);
  text = text.substr(0, text.rfind('\n') + 1);
  const std::filesystem::path golden = std::filesystem::path(KVASIR_TEST_DATA) / "importers" /
                                       (std::filesystem::path(name).stem().string() + ".txt");
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden, std::ios::binary) << text;
    return;
  }
  std::stringstream expected;
  expected << std::ifstream(golden, std::ios::binary).rdbuf();
  EXPECT_EQ(text, expected.str()) << golden;
}

INSTANTIATE_TEST_SUITE_P(Shared, GoldenText,
                         testing::Values(std::pair{"debian_reference_en.pdf", std::size_t{6000}},
                                         std::pair{"geotopo_de.pdf", std::size_t{6000}},
                                         std::pair{"opm_performance_report_tables.pdf", std::size_t{6000}},
                                         std::pair{"latex_multicolumn.pdf", std::size_t{4000}},
                                         std::pair{"debmake_doc_zh_cn.epub", std::size_t{6000}},
                                         std::pair{"jekyll_and_hyde.epub", std::size_t{4000}}),
                         [](const auto& row) {
                           return std::filesystem::path(row.param.first).stem().string();
                         });

}  // namespace
}  // namespace kvasir
