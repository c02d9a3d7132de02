#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "importers/importer.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

using testing::HasSubstr;

class Epub : public testing::Test {
 protected:
  Document import(const Entries& entries) { return importFile(writeZip(folder_, "made.epub", entries)); }

  std::string refusal(const Entries& entries) {
    try {
      import(entries);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "was imported";
  }

  Folder folder_{"epub"};
};

TEST_F(Epub, IsReadInTheOrderOfItsSpine) {
  const Document document =
      import(epubEntries({{"b.xhtml", "<p>First part</p>"}, {"a.xhtml", "<p>Second part</p>"}}));
  EXPECT_EQ(document.format, "epub");
  EXPECT_EQ(document.text, "First part\n\nSecond part");
  EXPECT_EQ(document.title, "A Book");
  EXPECT_EQ(document.language, "en-GB");
  EXPECT_TRUE(document.pages.empty());
}

TEST_F(Epub, TakesItsNavigationAsSections) {
  const std::string navigation =
      "<html xmlns:epub='x'><body><nav epub:type='toc'><ol><li><a href='a.xhtml'>One</a><ol><li><a "
      "href='a.xhtml#deep'>Deep</a></li></ol></li><li><a "
      "href='b%2Exhtml'>Two</a></li></ol></nav></body></html>";
  const Document document = import(
      epubEntries({{"a.xhtml", "<h1>One</h1><p>text</p><h2 id='deep'>Deep</h2>"}, {"b.xhtml", "<p>more</p>"}},
                  "<item id='nav' href='nav.xhtml' properties='nav'/>", {{"OPS/nav.xhtml", navigation}}));
  ASSERT_EQ(document.sections.size(), 3u);
  EXPECT_EQ(document.sections[1].title, "Deep");
  EXPECT_EQ(document.sections[1].level, 2);
  EXPECT_EQ(document.sections[1].start, document.text.find("Deep"));
  EXPECT_EQ(document.sections[2].start, document.text.find("more"));
}

TEST_F(Epub, OfVersionTwoTakesItsNcxAsSections) {
  const std::string ncx =
      "<ncx><navMap><navPoint><navLabel><text>One</text></navLabel><content "
      "src='a.xhtml'/><navPoint><navLabel><text>In "
      "it</text></navLabel><content src='a.xhtml#x'/></navPoint></navPoint></navMap></ncx>";
  const Document document = import(epubEntries(
      {{"a.xhtml", "<p>text</p><p id='x'>inner</p>"}},
      "<item id='ncx' href='toc.ncx' media-type='application/x-dtbncx+xml'/>", {{"OPS/toc.ncx", ncx}}));
  ASSERT_EQ(document.sections.size(), 2u);
  EXPECT_EQ(document.sections[1].level, 2);
  EXPECT_EQ(document.sections[1].start, document.text.find("inner"));
}

TEST_F(Epub, IsReadToTheEndOfItsSpine) {
  Entries parts(20'001);
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].first = std::to_string(i) + ".xhtml";
  parts.back().second = "<p>The last part</p>";
  EXPECT_EQ(importFile(writeZip(folder_, "book.epub", epubEntries(parts))).text, "The last part");
}

TEST_F(Epub, WithoutContentsTakesItsHeadingsAsSections) {
  const Document document = import(epubEntries({{"a.xhtml", "<h1>One</h1><p>t</p><h2>Two</h2><p>u</p>"}}));
  ASSERT_EQ(document.sections.size(), 2u);
  EXPECT_EQ(document.sections[1].level, 2);
}

TEST_F(Epub, GivesPlacesThatStay) {
  const Entries entries = epubEntries({{"a.xhtml", "<p>one</p><div><p>two</p></div>"}});
  const Document document = import(entries);
  ASSERT_EQ(document.anchors.size(), 2u);
  EXPECT_EQ(document.anchors[1].location, "OPS/a.xhtml#/4/4/2");
  EXPECT_EQ(document.anchors[1].start, document.text.find("two"));
  EXPECT_EQ(import(entries).anchors[1].location, document.anchors[1].location);
}

TEST_F(Epub, DoesWithoutMissingParts) {
  EXPECT_EQ(import(epubEntries({{"gone.xhtml", ""}, {"a.xhtml", "<p>what remains</p>"}})).text, "what remains");
}

/// The spine names first `item`, then a chapter.
Entries withItem(const std::string& item, const Entries& more) {
  Entries entries = epubEntries({{"a.xhtml", "<p>text</p>"}}, item, more);
  for (auto& [path, bytes] : entries) {
    if (const std::size_t at = bytes.find("<spine>"); at != std::string::npos)
      bytes.insert(at + 7, "<itemref idref='item'/>");
  }
  return entries;
}

TEST_F(Epub, ReadsOnlyMarkupOfItsSpine) {
  EXPECT_EQ(import(withItem("<item id='item' href='a.pdf' media-type='application/pdf'/>",
                            {{"OPS/a.pdf", "%PDF-1.4 (words)"}}))
                .text,
            "text");
}

TEST_F(Epub, ReadsWhatStandsForAPictureInItsSpine) {
  const std::string items =
      "<item id='item' href='a.jpg' media-type='image/jpeg' fallback='other'/><item id='other' href='b.svg' "
      "media-type='image/svg+xml'/>";
  EXPECT_EQ(import(withItem(items, {{"OPS/b.svg", "<svg><text>drawn</text></svg>"}})).text, "drawn\n\ntext");
}

TEST_F(Epub, EndsThoughItemsStandForEachOther) {
  const std::string items =
      "<item id='item' href='a' media-type='image/jpeg' fallback='other'/><item id='other' href='b' "
      "media-type='image/png' fallback='item'/>";
  EXPECT_EQ(import(withItem(items, {})).text, "text");
}

TEST_F(Epub, WithADamagedPartIsRefused) {
  const auto file =
      writeZip(folder_, "made.epub",
               epubEntries({{"a.xhtml", "<p>first</p>"}, {"b.xhtml", "<p>the second chapter</p>"}}));
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t name = bytes.find("b.xhtml");  // of the entry's own head; packed bytes follow
  ASSERT_NE(name, std::string::npos);
  bytes[name + 12] = static_cast<char>(bytes[name + 12] ^ 0x55);
  try {
    importFile(folder_.write("damaged.epub", bytes));
    FAIL() << "was imported";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("b.xhtml in it cannot be unpacked"));
  }
}

TEST_F(Epub, WithoutAnyPartHasNoText) {
  EXPECT_THAT(refusal(epubEntries({{"gone.xhtml", ""}})), HasSubstr("no text"));
}

TEST_F(Epub, WithAnEmptySpineHasNoText) { EXPECT_THAT(refusal(epubEntries({})), HasSubstr("spine is empty")); }

TEST_F(Epub, ThatIsProtectedIsRefused) {
  const std::string xml =
      "<encryption><EncryptedData><EncryptionMethod "
      "Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/></EncryptedData></encryption>";
  EXPECT_THAT(refusal(epubEntries({{"a.xhtml", "<p>x</p>"}}, "", {{"META-INF/encryption.xml", xml}})),
              HasSubstr("DRM"));
}

TEST_F(Epub, WithHiddenFontsIsRead) {
  const std::string xml =
      "<encryption><EncryptedData><EncryptionMethod "
      "Algorithm='http://www.idpf.org/2008/embedding'/></EncryptedData></encryption>";
  EXPECT_EQ(import(epubEntries({{"a.xhtml", "<p>x</p>"}}, "", {{"META-INF/encryption.xml", xml}})).text, "x");
}

TEST_F(Epub, ThatUnpacksToTooMuchIsRefused) {
  const std::string bomb(std::size_t{65} << 20, ' ');
  EXPECT_THAT(refusal(epubEntries({{"a.xhtml", "<p>x</p>" + bomb}})), HasSubstr("unpacks to more"));
}

TEST_F(Epub, CannotNameFilesOutside) {
  EXPECT_THAT(refusal(epubEntries({{"../../../../etc/passwd", ""}})), HasSubstr("no text"));
}

TEST_F(Epub, DoesNotExpandItsOwnEntities) {
  const Document document = import(epubEntries(
      {{"a.xhtml", "<p>x</p>"}}, "", {{"OPS/unused.xml", "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>"}}));
  EXPECT_EQ(document.text, "x");
}

TEST_F(Epub, WithDamagedBytesIsRefused) {
  const auto file =
      folder_.write("made.epub", std::string("PK\x03\x04 application/epub+zip and then nothing of sense"));
  EXPECT_THROW(importFile(file), std::runtime_error);
}

TEST_F(Epub, CanBeCancelledAtAPart) {
  const auto file =
      writeZip(folder_, "made.epub", epubEntries({{"a.xhtml", "<p>x</p>"}, {"b.xhtml", "<p>y</p>"}}));
  EXPECT_THROW(importFile(file, [](int, int) { throw std::domain_error("stopped"); }), std::domain_error);
}

}  // namespace
}  // namespace kvasir
