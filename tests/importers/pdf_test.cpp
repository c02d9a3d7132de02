#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "importers/importer.h"
#include "importers/pdf_catalogue.h"
#include "importers/pdf_drawing.h"
#include "importers/pdf_objects.h"
#include "tests/importers/hand_made.h"

namespace kvasir {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Pdf : public testing::Test {
 protected:
  Document import(const std::string& bytes) { return importFile(folder_.write("made.pdf", bytes)); }

  std::string refusal(const std::string& bytes) {
    try {
      import(bytes);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "was imported";
  }

  Folder folder_{"pdf"};
};

TEST_F(Pdf, GivesItsTextWithPagesAndBoxes) {
  const Document document = import(pdfWithLines({{{72, 700, "Hello world"}}, {{72, 700, "Second page"}}}));
  EXPECT_EQ(document.format, "pdf");
  EXPECT_EQ(document.text, "Hello world\n\nSecond page");
  ASSERT_EQ(document.pages.size(), 2u);
  EXPECT_EQ(document.pages[1].start, document.text.find("Second"));
  ASSERT_EQ(document.words.size(), 4u);
  EXPECT_NEAR(document.words[0].box.left, 72, 1);
  EXPECT_NEAR(document.words[0].box.bottom, 792 - 700, 4);
  EXPECT_EQ(document.words[2].page, 1);
}

TEST_F(Pdf, ReadsCodesOfPrivateUseByTheirFont) {
  const std::string map =
      "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange "
      "2 beginbfchar <61> <F061> <62> <F732> endbfchar endcmap end";
  const Document document = import(pdfThatDraws(
      "BT /F1 12 Tf 72 700 Td (a) Tj /F2 12 Tf 40 0 Td (ab) Tj ET", "/Font << /F1 5 0 R /F2 6 0 R >>",
      {"<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+SymbolMT /ToUnicode 7 0 R >>",
       "<< /Type /Font /Subtype /TrueType /BaseFont /Helvetica /ToUnicode 7 0 R >>", streamOf(map)}));
  EXPECT_EQ(document.text, "α 2");
}

TEST_F(Pdf, KeepsItsPageLabels) {
  const Document document = import(pdfWithLines({{{72, 700, "Preface"}}, {{72, 700, "Chapter"}}}, "",
                                                "/PageLabels << /Nums [0 << /S /r /St 7 >> 1 << /S /D >>] >>"));
  EXPECT_EQ(document.pages[0].label, "vii");
  EXPECT_EQ(document.pages[1].label, "1");
}

TEST_F(Pdf, NumbersAPageWhoseLabelIsLong) {
  const Document document =
      import(pdfWithLines({{{72, 700, "A page"}}}, "", "/PageLabels << /Nums [0 << /S /a /St 2600 >>] >>"));
  EXPECT_EQ(document.pages[0].label, "1");
}

TEST_F(Pdf, ShowsBoxesOfARotatedPageUpright) {
  const Document document = import(pdfWithLines({{{72, 700, "Sideways"}}}, "/Rotate 90"));
  EXPECT_FLOAT_EQ(document.pages[0].width, 792);
  EXPECT_FLOAT_EQ(document.pages[0].height, 612);
  EXPECT_NEAR(document.words[0].box.left, 700, 12);
  EXPECT_NEAR(document.words[0].box.top, 72, 2);
}

TEST_F(Pdf, TakesItsOutlineAsSections) {
  // The outline is object 8, its items 9 and 10; the pages are 4 and 6.
  const Document document =
      import(pdfWithLines({{{72, 700, "One", 18}, {72, 660, "words of the first"}},
                           {{72, 700, "Two", 18}, {72, 660, "words of the second"}}},
                          "", "/Outlines 8 0 R",
                          {"<< /First 9 0 R /Last 10 0 R /Count 2 >>",
                           "<< /Title (One) /Parent 8 0 R /Next 10 0 R /Dest [4 0 R /Fit] >>",
                           "<< /Title (Two) /Parent 8 0 R /Prev 9 0 R /Dest [6 0 R /Fit] >>"}));
  ASSERT_EQ(document.sections.size(), 2u);
  EXPECT_EQ(document.sections[1].title, "Two");
  EXPECT_EQ(document.sections[1].start, document.text.find("Two"));
}

/// Three pages whose outline, object 10, has these entries: what stands in each beside its parent and
/// neighbours.
std::string pdfWithOutline(const std::vector<std::string>& entries, const std::string& page = "") {
  std::vector<std::string> objects = {"<< /First 11 0 R /Last " + std::to_string(10 + entries.size()) +
                                      " 0 R /Count " + std::to_string(entries.size()) + " >>"};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string next =
        i + 1 < entries.size() ? "/Next " + std::to_string(12 + i) + " 0 R " : std::string();
    objects.push_back("<< /Parent 10 0 R " + next + entries[i] + " >>");
  }
  return pdfWithLines({{{72, 700, "First page"}, {72, 400, "below its middle"}},
                       {{72, 700, "Second page"}, {72, 400, "left below"}, {320, 360, "right below"}},
                       {}},
                      page,
                      "/Outlines 10 0 R /Dests << /Named [6 0 R /FitH 450] >> /Names << /Dests << /Names "
                      "[(Listed) << /D [6 0 R /XYZ 0 450 0] >>] >> >>",
                      objects);
}

std::vector<std::string> textsAt(const Document& document) {
  std::vector<std::string> texts;
  for (const Section& section : document.sections)
    texts.push_back(section.title + ": " + document.text.substr(section.start, 10));
  return texts;
}

TEST_F(Pdf, KeepsOutlineEntriesThatAreNoLineOfTheTextAtTheirTarget) {
  const Document document = import(pdfWithOutline(
      {"/Title (Cover) /Dest [4 0 R /Fit]", "/Title (Top) /Dest [4 0 R /XYZ 72 715 0]",
       "/Title (Middle) /Dest [4 0 R /XYZ null 450 null]", "/Title (Number) /Dest [1 /XYZ 0 715 0]",
       "/Title (Named) /Dest /Named", "/Title (Listed) /Dest (Listed)",
       "/Title (Right) /A << /S /GoTo /D [6 0 R /FitR 300 300 500 450] >>",
       "/Title (Foot) /Dest [6 0 R /FitH 20]", "/Title (Blank) /Dest [8 0 R /Fit]"}));
  EXPECT_THAT(textsAt(document),
              testing::ElementsAre("Cover: First page", "Top: First page", "Middle: below its ",
                                   "Number: Second pag", "Named: left below", "Listed: left below",
                                   "Right: right belo", "Foot: right belo", "Blank: right belo"));
}

TEST_F(Pdf, PutsOutlineEntriesInTheOrderOfTheText) {
  const Document document =
      import(pdfWithOutline({"/Title (Later) /Dest [6 0 R /Fit]", "/Title (Sooner) /Dest [4 0 R /Fit]"}));
  EXPECT_THAT(textsAt(document), testing::ElementsAre("Sooner: First page", "Later: Second pag"));
}

TEST_F(Pdf, OnARotatedPageAnOutlineEntryBeginsWithThePage) {
  const Document document =
      import(pdfWithOutline({"/Title (Turned) /Dest [4 0 R /XYZ 0 450 0]"}, "/Rotate 90"));
  ASSERT_EQ(document.sections.size(), 1u);
  EXPECT_EQ(document.sections[0].start, 0u);
}

TEST_F(Pdf, LeavesOutOutlineEntriesThatPointOutOfTheDocument) {
  const Document document =
      import(pdfWithOutline({"/Title (Web) /A << /S /URI /URI (https://example.org) >>",
                             "/Title (Page 99) /Dest [98 /Fit]", "/Title (Here) /Dest [4 0 R /Fit]"}));
  EXPECT_THAT(textsAt(document), testing::ElementsAre("Here: First page"));
}

TEST_F(Pdf, FindsAHeadingOnThePageThatItsOutlineNames) {
  const Document document = import(pdfWithLines(
      {{{72, 700, "Contents"}, {72, 660, "Methods"}}, {{72, 700, "Words before it"}, {72, 660, "Methods"}}}, "",
      "/Outlines 8 0 R",
      {"<< /First 9 0 R /Last 9 0 R /Count 1 >>", "<< /Title (Methods) /Parent 8 0 R /Dest [6 0 R /Fit] >>"}));
  ASSERT_EQ(document.sections.size(), 1u);
  EXPECT_EQ(document.sections[0].start, document.text.rfind("Methods"));
}

TEST_F(Pdf, WithoutAnOutlineTakesLargeLinesAsSections) {
  const Document document =
      import(pdfWithLines({{{72, 700, "A Large Heading", 18},
                            {72, 660, "words of the first paragraph, quite a few of them"},
                            {72, 646, "and more words of it that make it the body"}}}));
  ASSERT_EQ(document.sections.size(), 1u);
  EXPECT_EQ(document.sections[0].title, "A Large Heading");
}

TEST(PdfHeadings, BySizeHaveThreeLevelsHoweverManySizesThereAre) {
  constexpr std::size_t kSizes = 200'000;
  Document document;
  std::vector<LinePlace> lines;
  for (std::size_t i = 0; i < kSizes; ++i) {
    document.text += "A heading\n";
    lines.push_back({i * 10, i * 10 + 9, 0, static_cast<float>(kSizes + 20 - i), true});
  }
  document.text += std::string(100, 'a');
  lines.push_back({kSizes * 10, document.text.size(), 0, 10, true});
  const std::vector<Section> sections = headingsBySize(document, lines);
  ASSERT_EQ(sections.size(), kSizes);
  EXPECT_EQ(sections[0].level, 1);
  EXPECT_EQ(sections[1].level, 2);
  EXPECT_EQ(sections[2].level, 3);
  EXPECT_EQ(sections.back().level, 3);
}

TEST_F(Pdf, EndsThoughItsOutlineRefersToItself) {
  const Document document =
      import(pdfWithLines({{{72, 700, "Text of the page"}}}, "", "/Outlines 6 0 R",
                          {"<< /First 7 0 R /Last 7 0 R /Count 1 >>",
                           "<< /Title (Loop) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Last 7 0 R >>"}));
  EXPECT_EQ(document.text, "Text of the page");
}

TEST_F(Pdf, EndsThoughItsTreeOfNamesRefersToEachNodeTwice) {
  constexpr int kDeep = 60;
  std::vector<std::string> objects = {"<< /First 7 0 R /Last 7 0 R /Count 1 >>",
                                      "<< /Title (Listed) /Parent 6 0 R /Dest (Here) >>"};
  for (int i = 9; i < 9 + kDeep; ++i)
    objects.push_back("<< /Kids [" + std::to_string(i) + " 0 R " + std::to_string(i) + " 0 R] >>");
  objects.push_back("<< /Kids [] /Names [(Here) [4 0 R /Fit]] >>");
  const Document document = import(pdfWithLines({{{72, 700, "Text of the page"}}}, "",
                                                "/Outlines 6 0 R /Names << /Dests 8 0 R >>", objects));
  ASSERT_EQ(document.sections.size(), 1u);
  EXPECT_EQ(document.sections[0].title, "Listed");
}

TEST_F(Pdf, EndsThoughItsPageTreeRefersToItself) {
  const std::string why =
      refusal(pdfOf({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R] >>"}));
  EXPECT_THAT(why, HasSubstr("made.pdf"));
}

TEST_F(Pdf, EndsThoughItsPagesClaimToBeMany) {
  const std::string why =
      refusal(pdfOf({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 2000000000 /Kids [] >>"}));
  EXPECT_THAT(why, HasSubstr("made.pdf"));
}

TEST_F(Pdf, EndsThoughItsContentDrawsItself) {
  const std::string form =
      "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length 5 "
      ">>\nstream\n/X Do\nendstream";
  const std::string page =
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /XObject << /X 5 0 R "
      ">> >> >>";
  const std::string why =
      refusal(pdfOf({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page,
                     streamOf("/X Do"), form}));
  EXPECT_THAT(why, HasSubstr("text layer"));
}

TEST_F(Pdf, WithFormsThatDrawEachOtherForEverIsRefused) {
  std::string content;
  for (int i = 0; i < 10; ++i) content += "/F Do ";
  const std::string bytes = pdfOfFormsInForms(12, content);
  ASSERT_GT(drawnBytesOf(*pdfObjects(bytes))(0), kMostDrawnBytes) << "else the import does not end";
  EXPECT_THAT(refusal(bytes), AllOf(HasSubstr("made.pdf"), HasSubstr("on page 1"), HasSubstr("over and over")));
}

TEST_F(Pdf, WithTextInAFormOfAFormIsRead) {
  const std::string inner =
      formOf("BT /F1 11 Tf 1 0 0 1 72 700 Tm (Deep words) Tj ET", "/Font << /F1 8 0 R >>");
  const std::string font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
  EXPECT_EQ(import(pdfThatDraws("/A Do", "/XObject << /A 5 0 R >>",
                                {formOf("/B Do", "/XObject << /B 6 0 R >>"),
                                 formOf("/C Do", "/XObject << /C 7 0 R >>"), inner, font}))
                .text,
            "Deep words");
}

/// One page with this document information and catalogue, and a metadata stream as object 7.
std::string pdfThatSays(const std::string& information, const std::string& catalogue,
                        const std::string& metadata = "") {
  std::string bytes = pdfWithLines({{{72, 700, "Some words that are in no language in particular"}}}, "",
                                   catalogue, {information, streamOf(metadata)});
  return bytes.insert(bytes.find("/Root 1 0 R"), "/Info 6 0 R ");
}

std::string xmp(const std::string& elements) {
  return "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
         "<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'>" +
         elements + "</rdf:Description></rdf:RDF></x:xmpmeta>";
}

TEST_F(Pdf, TakesItsTitleFromTheDocumentInformation) {
  EXPECT_EQ(import(pdfThatSays("<< /Title (Of Owls) >>", "")).title, "Of Owls");
  EXPECT_EQ(import(pdfThatSays("<< /Title <FEFF00C9 00740065> >>", "")).title, "\u00C9te");
}

TEST_F(Pdf, TakesItsTitleFromXmpWhereTheInformationHasNoneOfUse) {
  const std::string metadata =
      xmp("<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Of Owls &amp; Mice</rdf:li></rdf:Alt></dc:title>");
  EXPECT_EQ(import(pdfThatSays("<< /Title (draft.doc) >>", "/Metadata 7 0 R", metadata)).title,
            "Of Owls & Mice");
  EXPECT_EQ(import(pdfThatSays("<< /Title (Of Cats) >>", "/Metadata 7 0 R", metadata)).title, "Of Cats");
}

TEST_F(Pdf, TakesLettersOfXmpAsTheyAreWritten) {
  const std::string metadata = xmp("<dc:title><rdf:Alt><rdf:li>Été – Größe</rdf:li></rdf:Alt></dc:title>");
  EXPECT_EQ(import(pdfThatSays("<< >>", "/Metadata 7 0 R", metadata)).title, "Été – Größe");
}

TEST_F(Pdf, TakesNoMoreOfXmpThanItsBeginning) {
  const std::string metadata = xmp("<dc:title><rdf:Alt><rdf:li>Of Owls</rdf:li></rdf:Alt></dc:title>") +
                               std::string(kMostMetadataBytes, ' ');
  const std::string bytes = pdfThatSays("<< >>", "/Metadata 7 0 R", metadata);
  EXPECT_EQ(catalogueOf(*pdfObjects(bytes)).metadata, metadata.substr(0, kMostMetadataBytes));
  EXPECT_EQ(import(bytes).title, "Of Owls");
}

TEST_F(Pdf, WithoutATitleIsCalledByItsFile) {
  EXPECT_EQ(import(pdfThatSays("<< /Title (untitled) >>", "")).title, "made");
}

TEST_F(Pdf, TakesItsLanguageFromXmp) {
  const std::string metadata = xmp("<dc:language><rdf:Bag><rdf:li>pt-BR</rdf:li></rdf:Bag></dc:language>");
  EXPECT_EQ(import(pdfThatSays("<< >>", "/Metadata 7 0 R /Lang (fi-FI)", metadata)).language, "pt-BR");
}

TEST_F(Pdf, TakesItsLanguageFromItsCatalogue) {
  EXPECT_EQ(import(pdfThatSays("<< >>", "/Lang (fi-FI)")).language, "fi-FI");
}

TEST_F(Pdf, LeavesOutMetadataThatIsNoXml) {
  EXPECT_EQ(import(pdfThatSays("<< >>", "/Metadata 7 0 R", "dc:title <<< dc:language & >")).title, "made");
}

TEST_F(Pdf, WithoutTextSaysSoAndWhatToDo) {
  EXPECT_THAT(refusal(pdfWithLines({{}})), AllOf(HasSubstr("without a text layer"), HasSubstr("ocrmypdf")));
}

TEST_F(Pdf, OfScannedPagesBehindAPageOfTextSaysSoToo) {
  const std::string picture = "/Resources << /Font << /F1 3 0 R >> /XObject << /I 10 0 R >> >>",
                    image =
                        "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
                        "/BitsPerComponent 8 /Length 1 >>\nstream\nx\nendstream";
  EXPECT_THAT(refusal(pdfWithLines({{{72, 700, "Digitized by a library"}}, {}, {}}, picture, "", {image})),
              HasSubstr("2 of 3 pages without a text layer"));
  const std::vector<std::vector<PdfLine>> mostlyText = {{{72, 700, "one"}}, {{72, 700, "two"}}, {}};
  EXPECT_EQ(import(pdfWithLines(mostlyText, picture, "", {image})).text, "one two");
}

TEST_F(Pdf, WithAWrongTableOfObjectsIsStillRead) {
  std::string bytes = pdfWithLines({{{72, 700, "Hello world"}}});
  bytes.replace(bytes.find("startxref"), std::string::npos, "startxref\n7\n%%EOF\n");
  EXPECT_EQ(import(bytes).text, "Hello world");
}

TEST_F(Pdf, OfNothingButAHeaderIsDamaged) { EXPECT_THAT(refusal("%PDF-1.4\n"), HasSubstr("damaged")); }

TEST_F(Pdf, CanBeCancelledAtAPage) {
  const auto file = folder_.write("made.pdf", pdfWithLines({{{72, 700, "one"}}, {{72, 700, "two"}}}));
  const auto stop = [](int done, int total) {
    EXPECT_EQ(total, 2);
    if (done == 1) throw std::domain_error("stopped");
  };
  EXPECT_THROW(importFile(file, stop), std::domain_error);
}

TEST_F(Pdf, IsReadToItsLastPage) {
  std::vector<std::vector<PdfLine>> pages(20'001);
  pages.back() = {{72, 700, "The last page"}};
  const Document document = import(pdfWithLines(pages));
  EXPECT_EQ(document.pages.size(), 20'001u);
  EXPECT_EQ(document.text, "The last page");
}

TEST_F(Pdf, TakesTimeInStepWithItsLength) {
  std::vector<std::vector<PdfLine>> pages;
  for (int i = 0; i < 3000; ++i) {
    pages.push_back(
        {{72, 760, "A head that recurs"},
         {72, 400, std::string(1 + i % 7, static_cast<char>('a' + i % 26)) + " has words of its own"},
         {300, 30, std::to_string(i + 1)}});
  }
  const Document document = import(pdfWithLines(pages));
  EXPECT_EQ(document.pages.size(), 3000u);
  EXPECT_EQ(document.text.find("head that recurs"), std::string::npos);
}

}  // namespace
}  // namespace kvasir
