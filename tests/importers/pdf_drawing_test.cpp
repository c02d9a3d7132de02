#include "importers/pdf_drawing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/pdf_objects.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

constexpr std::uint64_t kEach = kFormBytes;

std::uint64_t drawnBytes(const std::string& bytes, std::size_t mostNameBytes = kMostNameBytes) {
  return drawnBytesOf(*pdfObjects(bytes), mostNameBytes)(0);
}

std::string repeated(const std::string& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

TEST(PdfDrawing, CountsFormsAsOftenAsTheyAreDrawn) {
  const std::string a = formOf("/B Do /B Do /B Do", "/XObject << /B 6 0 R >>"), b = formOf("q Q", "");
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do /A Do", "/XObject << /A 5 0 R >>", {a, b})),
            (11 + kEach) + 2 * (17 + kEach) + 6 * (3 + kEach));
}

TEST(PdfDrawing, CountsNothingOnAPageWithoutForms) {
  EXPECT_EQ(drawnBytes(pdfWithLines({{{72, 700, "Hello world"}}})), 0u);
}

TEST(PdfDrawing, CountsNoPictures) {
  const std::string image =
      "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
      "/Length 1 >>\nstream\nx\nendstream";
  const std::string resources = "/XObject << /I 5 0 R /A 6 0 R >>";
  EXPECT_EQ(drawnBytes(pdfThatDraws("/I Do", resources, {image, formOf("q Q", "")})), 5 + kEach);
}

TEST(PdfDrawing, CountsLongContentOnce) {
  constexpr int kOperators = 10'000'000;
  const std::uint64_t bytes = drawnBytes(
      pdfThatDraws(repeated("n\n", kOperators) + "/A Do", "/XObject << /A 5 0 R >>", {formOf("q Q", "")}));
  EXPECT_EQ(bytes, 2 * kOperators + (5 + kEach) + (3 + kEach));
  EXPECT_LT(bytes, kMostDrawnBytes);
}

TEST(PdfDrawing, CountsContentAsItIsDecoded) {
  const std::string coded =
      "<< /Subtype /Form /BBox [0 0 9 9] /Filter /ASCIIHexDecode /Resources << /XObject << /B 6 0 R >> >> "
      "/Length 11 >>\nstream\n2F4220446F>\nendstream";  // "/B Do"
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>", {coded, formOf("q Q", "")})),
            (5 + kEach) + (5 + kEach) + (3 + kEach));
}

TEST(PdfDrawing, StopsCountingBeyondItsBound) {
  EXPECT_GT(drawnBytes(pdfOfFormsInForms(12, repeated("/F Do ", 10))), kMostDrawnBytes);
  EXPECT_GT(drawnBytes(pdfOfFormsInForms(90, repeated("/F Do ", 1000))), kMostDrawnBytes);
}

TEST(PdfDrawing, CountsAFormByAllItsNames) {
  std::string names, content, forms;
  for (char name = 'A'; name < 'K'; ++name) {
    content += std::string("/") + name + " Do ";
    names += std::string("/") + name + " 6 0 R ";
    forms += std::string("/") + name + " 7 0 R ";
  }
  const std::string first = formOf(content, "/XObject << " + names + " >>"),
                    second = formOf(content, "/XObject << " + forms + " >>"), last = formOf("q Q", "");
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>", {first, second, last})),
            (5 + kEach) + (60 + kEach) + 10 * (60 + kEach) + 100 * (3 + kEach));
}

TEST(PdfDrawing, DrawsNoFormWithinItself) {
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>",
                                    {formOf("/A Do /A Do", "/XObject << /A 5 0 R >>")})),
            (5 + kEach) + (11 + kEach));
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>",
                                    {formOf("/B Do /B Do", "/XObject << /B 6 0 R >>"),
                                     formOf("/A Do /A Do", "/XObject << /A 5 0 R >>")})),
            (5 + kEach) + (11 + kEach) + 2 * (11 + kEach));
}

TEST(PdfDrawing, LooksNamesUpWhereAFormIsDrawn) {
  const std::string a = formOf("/B Do", "/XObject << /B 6 0 R /C 7 0 R >>"), b = formOf("/C Do /C Do", ""),
                    c = formOf("q Q", "");
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A Do /B Do", "/XObject << /A 5 0 R >>", {a, b, c})),
            (11 + kEach) + (5 + kEach) + (11 + kEach) + 2 * (3 + kEach));
}

TEST(PdfDrawing, FindsNamesBehindEscapesAndComments) {
  const std::string resources = "/XObject << /A 5 0 R >>";
  const std::vector<std::string> forms = {formOf("q Q", "")};
  EXPECT_EQ(drawnBytes(pdfThatDraws("/#41 Do", resources, forms)), (7 + kEach) + (3 + kEach));
  EXPECT_EQ(drawnBytes(pdfThatDraws("/A%x /B y\n%z\nDo", resources, forms)), (15 + kEach) + (3 + kEach));
  EXPECT_EQ(drawnBytes(pdfThatDraws("(/A) /A 1 Do [/A]Do", resources, forms)), 19 + kEach);
}

TEST(PdfDrawing, ReadsAllStreamsOfAPage) {
  EXPECT_EQ(drawnBytes(pdfOf({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
                              "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [4 0 R 5 0 R] "
                              "/Resources << /XObject << /A 6 0 R >> >> >>",
                              streamOf("/A"), streamOf("Do"), formOf("q Q", "")})),
            (4 + kEach) + (3 + kEach));
}

TEST(PdfDrawing, CountsMasksPatternsAndAppearances) {
  const std::string resources =
      "/ExtGState << /G << /SMask << /S /Alpha /G 5 0 R >> >> >> /Pattern << /P 6 0 R >>";
  const std::string mask = formOf("mask", ""), appearance = formOf("look", ""),
                    pattern = "<< /PatternType 1 /Length 7 >>\nstream\npattern\nendstream";
  EXPECT_EQ(drawnBytes(pdfThatDraws("/G gs 1 /P scn", resources, {mask, pattern, appearance},
                                    "/Annots [<< /AP << /N 7 0 R >> >> << /AP << /N << /On 7 0 R >> >> >>]")),
            (14 + kEach) + (4 + kEach) + (7 + kEach) + 2 * (4 + kEach));
}

/// Content with these parts for each of twenty names.
std::string contentOfNames(const std::string& before, const std::string& after) {
  std::string content;
  for (int i = 0; i < 20; ++i) content += before + "Name" + std::to_string(i) + after;
  return content;
}

TEST(PdfDrawing, CountsMoreNamesThanAreKeptAsTooMuch) {
  constexpr std::size_t kNames = 8192, kFewNames = 1024;
  for (const std::string& content : {contentOfNames("/", " Do "), contentOfNames("/", "% ")}) {
    const std::string page = pdfThatDraws(content, "/XObject << /A 5 0 R >>", {formOf("q Q", "")}),
                      form = pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>", {formOf(content, "")});
    EXPECT_EQ(drawnBytes(page, kNames), content.size() + kEach);
    EXPECT_GT(drawnBytes(page, kFewNames), kMostDrawnBytes);
    EXPECT_EQ(drawnBytes(form, kNames), (5 + kEach) + (content.size() + kEach));
    EXPECT_GT(drawnBytes(form, kFewNames), kMostDrawnBytes);
  }
}

TEST(PdfDrawing, KeepsNamesOfOnePageAtATime) {
  const std::string content = contentOfNames("/", " Do ");
  const auto pdf =
      pdfOf({"<< /Type /Catalog /Pages 2 0 R >>",
             "<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] /Resources << /XObject << /A 6 0 R >> >> >>",
             "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 5 0 R >>",
             "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 5 0 R >>", streamOf("/A Do"),
             formOf(content, "")});
  const auto objects = pdfObjects(pdf);
  const DrawnBytes drawnBytes = drawnBytesOf(*objects, 4096);
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_EQ(drawnBytes(i % 2), (5 + kEach) + (content.size() + kEach)) << i;
}

TEST(PdfDrawing, CountsWhatDrawsByANameThatIsCutAsTooMuch) {
  const std::string name = "/" + std::string(70'000, 'A');
  EXPECT_GT(drawnBytes(pdfThatDraws(name + " Do", "/XObject << " + name + " 5 0 R >>", {formOf("q Q", "")})),
            kMostDrawnBytes);
}

/// One page, object 3, that draws a form of three bytes. `pages` are the entries of the page tree.
std::string pdfWithPages(const std::string& pages, const std::string& page) {
  return pdfOf({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 " + pages + " >>",
                "<< /Type /Page /MediaBox [0 0 9 9] " + page + " >>", streamOf("/A Do"), formOf("q Q", "")});
}

TEST(PdfDrawing, FindsPagesInADamagedTree) {
  const std::string resources = "/Resources << /XObject << /A 5 0 R >> >>", content = "/Contents 4 0 R";
  constexpr std::uint64_t kDrawn = (5 + kEach) + (3 + kEach);
  EXPECT_EQ(drawnBytes(pdfWithPages("/Kids [2 0 R 3 0 R 2 0 R]", resources + content)), kDrawn);
  EXPECT_EQ(drawnBytes(pdfWithPages("/Kids [null 9 0 R 3 0 R]", resources + content)), kDrawn);
  EXPECT_EQ(drawnBytes(pdfWithPages("/Kids [3 0 R]" + resources, content)), kDrawn) << "no /Parent";
  EXPECT_EQ(drawnBytes(pdfWithPages("/Kids [3 0 R]", resources + "/Contents [null 4 0 R]")), kDrawn);
}

TEST(PdfDrawing, FindsPagesHoweverDeepTheirTree) {
  constexpr int kDeep = 50'000;
  std::vector<std::string> objects = {"<< /Type /Catalog /Pages 5 0 R >>",
                                      "<< /Type /Page /MediaBox [0 0 9 9] /Contents 3 0 R /Resources << "
                                      "/XObject << /A 4 0 R >> >> >>",
                                      streamOf("/A Do"), formOf("q Q", "")};
  for (int i = 0; i < kDeep; ++i)
    objects.push_back("<< /Type /Pages /Count 1 /Kids [" + std::to_string(6 + i) + " 0 R] >>");
  objects.push_back("<< /Type /Pages /Count 1 /Kids [2 0 R] >>");
  EXPECT_EQ(drawnBytes(pdfOf(objects)), (5 + kEach) + (3 + kEach));
}

TEST(PdfDrawing, KnowsNothingOfADamagedFileOrAPageThatIsNotThere) {
  EXPECT_EQ(drawnBytes("%PDF-1.4 and nothing else"), 0u);
  const std::string bytes = pdfOfFormsInForms(2, "/F Do");
  EXPECT_EQ(drawnBytesOf(*pdfObjects(bytes))(1), 0u);
}

}  // namespace
}  // namespace kvasir
