#include <poppler-qt6.h>

#include <QTest>
#include <cmath>
#include <limits>

#include "importers/importer.h"
#include "tests/ui/document/made_documents.h"
#include "ui/document/page_stack.h"
#include "ui/document/page_words.h"
#include "ui/document/tile_cache.h"

namespace kvasir {
namespace {

std::vector<Page> pagesOfSizes(const std::vector<QSizeF>& sizes) {
  std::vector<Page> pages;
  for (const QSizeF& size : sizes) {
    pages.push_back({"", static_cast<float>(size.width()), static_cast<float>(size.height()), 0, 0});
  }
  return pages;
}

TextRange rangeOf(const Document& document, const std::string& words) {
  const std::size_t at = document.text.find(words);
  return at == std::string::npos ? TextRange{} : TextRange{at, at + words.size()};
}

double shareCovered(const QRectF& box, const QRectF& by) {
  const QRectF both = box.intersected(by);
  return both.width() * both.height() / (box.width() * box.height());
}

/// Poppler gives a word the height of its line, which a formula beside it can double.
bool isSameWord(const QRectF& box, const QRectF& place) {
  return shareCovered(box, place) > 0.9 && std::abs(box.left() - place.left()) < 1.5 &&
         std::abs(box.right() - place.right()) < 1.5 && place.height() < 2.2 * box.height();
}

/// How many long words of these pages lie where Poppler's own search finds them, and how many there are.
std::pair<int, int> foundByPoppler(const QString& file, int pages) {
  const Document document = importFile(file.toStdString());
  const auto pdf = Poppler::Document::load(file);
  int found = 0, all = 0;
  for (int index = 0; index < std::min(pages, pdf->numPages()); ++index) {
    const auto page = pdf->page(index);
    for (const Word& word : wordsOn(document, index)) {
      if (word.end - word.start < 8) continue;
      const std::string text = document.text.substr(word.start, word.end - word.start);
      const auto boxes = boxesOn(document, index, {word.start, word.end});
      const auto places = page->search(QString::fromStdString(text));
      ++all;
      const bool isThere = std::any_of(places.begin(), places.end(), [&](const QRectF& place) {
        return !boxes.empty() && isSameWord(boxes.front(), place);
      });
      found += isThere ? 1 : 0;
    }
  }
  return {found, all};
}

class PageGeometryTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void pagesStandBelowEachOtherCentred() {
    const PageStack stack(pagesOfSizes({{600, 800}, {300, 400}, {600, 800}}));
    const double gap = PageStack::kGap;
    QCOMPARE(stack.rect(0, 2), QRectF(gap, gap, 1200, 1600));
    QCOMPARE(stack.rect(1, 2), QRectF(gap + 300, 2 * gap + 1600, 600, 800));
    QCOMPARE(stack.size(2), QSizeF(1200 + 2 * gap, 4000 + 4 * gap));
  }

  void everyHeightHasItsPage() {
    const PageStack stack(pagesOfSizes(std::vector<QSizeF>(3000, QSizeF(600, 800))));
    for (const double scale : {0.1, 1.0, 3.7}) {
      for (int page = 0; page < 3000; page += 7) {
        const QRectF rect = stack.rect(page, scale);
        QCOMPARE(stack.pageAt(rect.center().y(), scale), page);
        QCOMPARE(stack.pageAt(rect.top() - PageStack::kGap / 2, scale), page);
        QCOMPARE(stack.pageAt(stack.heightOf(page, 0, scale) + 1, scale), page);
        QVERIFY(std::abs(stack.shareAbove(page, stack.heightOf(page, 0.4, scale), scale) - 0.4) < 1e-6);
      }
    }
    QCOMPARE(stack.pageAt(-5, 1), 0);
    QCOMPARE(stack.pageAt(1e12, 1), 2999);
  }

  void theSpanInViewHoldsWhatIsSeenOnly() {
    const PageStack stack(pagesOfSizes({{600, 800}, {600, 800}, {600, 800}}));
    const auto span = stack.between(100, 700, 1);
    QCOMPARE(span.first, 0);
    QCOMPARE(span.last, 0);
    const auto two = stack.between(700, 900, 1);
    QCOMPARE(two.first, 0);
    QCOMPARE(two.last, 1);
    const auto none = PageStack().between(0, 100, 1);
    QVERIFY(none.last < none.first);
  }

  void sizesThatMakeNoSenseAreCut() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float endless = std::numeric_limits<float>::infinity();
    const PageStack stack({{"", nan, 0, 0, 0}, {"", -5, endless, 0, 0}, {"", 1e30F, 10, 0, 0}});
    for (int page = 0; page < stack.count(); ++page) {
      const QRectF rect = stack.rect(page, 1);
      QVERIFY(rect.width() >= 1 && rect.width() <= PageStack::kLargestSide);
      QVERIFY(rect.height() >= 1 && rect.height() <= PageStack::kLargestSide);
    }
    QVERIFY(stack.largestScale() > 0);
  }

  void tilesCoverAPageWithoutOverlap() {
    for (const double scale : {0.2, 1.0, 5.3, 40.0}) {
      const TileGrid grid(QSizeF(612, 792), scale);
      qint64 area = 0;
      for (int row = 0; row < grid.rows; ++row) {
        for (int column = 0; column < grid.columns; ++column) {
          const QRect tile = grid.rect(column, row);
          QVERIFY(tile.width() > 0 && tile.width() <= TileGrid::kLargestSide);
          QVERIFY(tile.height() > 0 && tile.height() <= TileGrid::kLargestSide);
          area += qint64{1} * tile.width() * tile.height();
        }
      }
      QCOMPARE(area, qint64{1} * grid.width * grid.height);
    }
  }

  void theCacheStaysWithinItsBoundAndDropsTheOldest() {
    TileCache cache(10 * 400);
    QImage image(10, 10, QImage::Format_RGB32);
    for (int page = 0; page < 100; ++page) {
      cache.insert({page, 1, 0, 0}, image);
      QVERIFY(cache.bytes() <= cache.boundBytes());
      QVERIFY(cache.find({0, 1, 0, 0}) != nullptr);  // used all the time, so it stays
    }
    QCOMPARE(cache.bytes(), 4000);
    QVERIFY(cache.contains({99, 1, 0, 0}));
    QVERIFY(!cache.contains({50, 1, 0, 0}));
    cache.insert({200, 1, 0, 0}, QImage(100, 100, QImage::Format_RGB32));
    QVERIFY(!cache.contains({200, 1, 0, 0}));
  }

  void standInsAreOfTheNearestScale() {
    TileCache cache(1 << 20);
    const QImage image(10, 10, QImage::Format_RGB32);
    for (const double scale : {0.5, 1.9, 8.0}) cache.insert({3, scale, 0, 0}, image);
    cache.insert({4, 2, 0, 0}, image);
    const auto keys = cache.standIns(3, 2);
    QCOMPARE(keys.size(), std::size_t{1});
    QCOMPARE(keys.front().scale, 1.9);
    QVERIFY(cache.standIns(5, 2).empty());
  }

  void wordsOfALineAreOneBox() {
    const Document page =
        madePage({{"one", {0, 0, 30, 12}}, {"two", {34, 0, 64, 12}}, {"below", {0, 14, 50, 26}}});
    const auto boxes = boxesOn(page, 0, {0, page.text.size()});
    QCOMPARE(boxes.size(), std::size_t{2});
    QCOMPARE(boxes[0], QRectF(0, 0, 64, 12));
    QCOMPARE(boxes[1], QRectF(0, 14, 50, 12));
  }

  void aRangeWithinWordsCoversItsCharactersOnly() {
    const Document page = madePage({{"abcd", {0, 0, 40, 12}}, {"efgh", {44, 0, 84, 12}}});
    const auto boxes = boxesOn(page, 0, {2, 7});  // "cd ef"
    QCOMPARE(boxes.size(), std::size_t{1});
    QCOMPARE(boxes[0], QRectF(20, 0, 44, 12));
  }

  void columnsAreNotJoined() {
    const Document page = madePage({{"end", {0, 100, 30, 112}}, {"start", {300, 101, 350, 113}}});
    QCOMPARE(boxesOn(page, 0, {0, page.text.size()}).size(), std::size_t{2});
  }

  void boxesGoOnOverAPageBreak() {
    Document document = madePage({{"before", {0, 780, 60, 792}}, {"after", {0, 10, 50, 22}}});
    document.words[1].page = 1;
    document.pages.push_back(document.pages.front());
    const auto boxes = boxesOf(document, {0, document.text.size()});
    QCOMPARE(boxes.size(), std::size_t{2});
    QCOMPARE(boxes[0].page, 0);
    QCOMPARE(boxes[1].page, 1);
  }

  void thePointerFindsTheCharacterUnderIt() {
    const Document page = madePage({{"abcd", {0, 0, 40, 12}}, {"efgh", {44, 0, 84, 12}}});
    QCOMPARE(byteAt(page, 0, {15, 6}), std::optional<std::size_t>(1));
    QCOMPARE(byteAt(page, 0, {80, 6}), std::optional<std::size_t>(8));
    QVERIFY(!byteAt(page, 0, {80, 60}));
    QCOMPARE(caretAt(page, 0, {16, 6}), std::optional<std::size_t>(2));
    QCOMPARE(caretAt(page, 0, {500, 6}), std::optional<std::size_t>(9));
    QVERIFY(!caretAt(page, 7, {0, 0}));
  }

  void rightToLeftWordsAreSelectedFromTheRight() {
    Document page = madePage({{"abcd", {0, 0, 40, 12}}});
    std::reverse(page.words[0].characters.begin(), page.words[0].characters.end());
    QCOMPARE(writingOf(page.words[0]), Writing::Left);
    QCOMPARE(caretAt(page, 0, {38, 6}), std::optional<std::size_t>(0));
    QCOMPARE(boxesOn(page, 0, {0, 1}).front(), QRectF(30, 0, 10, 12));
  }

  void verticalLinesAreOneBox() {
    Document page = madePage({{"ab", {100, 0, 112, 24}}, {"cd", {100, 26, 112, 50}}, {"ef", {80, 0, 92, 24}}});
    for (Word& word : page.words) {
      const float middle = (word.box.top + word.box.bottom) / 2;
      word.characters = {{word.box.left, word.box.top, word.box.right, middle},
                         {word.box.left, middle, word.box.right, word.box.bottom}};
    }
    const auto boxes = boxesOn(page, 0, {0, page.text.size()});
    QCOMPARE(boxes.size(), std::size_t{2});
    QCOMPARE(boxes[0], QRectF(100, 0, 12, 50));
  }

  void wordsAndParagraphsAreFoundAroundAByte() {
    Document document;
    document.text = "First words.\n\nThe second one.";
    QCOMPARE(wordAround(document, 8), (TextRange{6, 12}));
    QCOMPARE(paragraphAround(document, 16), (TextRange{14, 29}));
    QCOMPARE(paragraphAround(document, 2), (TextRange{0, 12}));
    QCOMPARE(characterStart("aé", 2), std::size_t{1});
  }

  void rangesOutsideTheTextHaveNoBoxes() {
    const Document page = madePage({{"abcd", {0, 0, 40, 12}}});
    QVERIFY(boxesOf(page, {100, 200}).empty());
    QVERIFY(boxesOf(page, {3, 1}).empty());
    QVERIFY(boxesOn(page, -1, {0, 4}).empty());
    QVERIFY(boxesOf(Document{}, {0, 10}).empty());
  }

  void boxesLieWherePopplerFindsTheWords() {
    const auto [found, all] = foundByPoppler(sampleFile(), 8);
    qInfo("%d of %d long words of the sample lie where Poppler finds them", found, all);
    QVERIFY(all > 500);
    QVERIFY(found > all * 0.97);
    const Document& document = *sampleDocument();
    QVERIFY(rangeOf(document, "zzzz").end == 0);
  }

  void boxesLieWherePopplerFindsTheWordsOfOtherFiles_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"tracemonkey_two_column.pdf", "rotated_page.pdf", "latex_multicolumn.pdf"}) {
      QTest::newRow(name) << QString::fromLatin1(name);
    }
  }

  void boxesLieWherePopplerFindsTheWordsOfOtherFiles() {
    QFETCH(QString, name);
    const QString file = sharedFile(name);
    if (file.isEmpty()) QSKIP("the shared documents are not beside this checkout");
    const auto [found, all] = foundByPoppler(file, 3);
    qInfo("%d of %d", found, all);
    QVERIFY(all > 0);
    QVERIFY(found >= all * 0.9);
  }
};

}  // namespace
}  // namespace kvasir

QTEST_GUILESS_MAIN(kvasir::PageGeometryTest)
#include "page_geometry_test.moc"
