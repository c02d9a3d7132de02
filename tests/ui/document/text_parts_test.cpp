#include <QTest>

#include "tests/ui/document/made_documents.h"
#include "ui/document/flow_parts.h"
#include "ui/document/outline_model.h"
#include "ui/document/place_history.h"
#include "ui/document/text_search.h"

namespace kvasir {
namespace {

std::vector<TextRange> allMatches(const std::string& text, const QString& query, std::size_t slice) {
  TextSearch search(text, query);
  while (!search.isFinished()) search.step(slice);
  return search.matches();
}

class TextPartsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void caseAndLineBreaksDoNotMatter() {
    const std::string text = "The Annual\n\nreport.  An  ANNUAL\treport; annual reports";
    const auto matches = allMatches(text, QStringLiteral("annual Report"), 1000);
    QCOMPARE(matches.size(), std::size_t{3});
    QCOMPARE(matches[0], (TextRange{4, 18}));
    QCOMPARE(QString::fromStdString(text.substr(matches[1].start, matches[1].end - matches[1].start)),
             QStringLiteral("ANNUAL\treport"));
  }

  void slicesOfAnySizeFindTheSame() {
    std::string text;
    for (int i = 0; i < 200; ++i)
      text +=
          "Überall  ist\n es schön, naïve\xC2\xAD"
          "ly so. ";
    const auto whole = allMatches(text, QStringLiteral("IST ES schön"), text.size());
    QCOMPARE(whole.size(), std::size_t{200});
    for (const std::size_t slice : {1, 2, 3, 7, 64, 1000}) {
      QCOMPARE(allMatches(text, QStringLiteral("ist es SCHÖN"), slice), whole);
    }
    QCOMPARE(allMatches(text, QStringLiteral("naïvely"), 5).size(), std::size_t{200});
  }

  void matchesDoNotOverlap() {
    const auto matches = allMatches("aaaaa", QStringLiteral("aa"), 1);
    QCOMPARE(matches.size(), std::size_t{2});
    QCOMPARE(matches[1], (TextRange{2, 4}));
  }

  void nothingIsFoundForNothing() {
    QVERIFY(allMatches("some text", QStringLiteral("  "), 10).empty());
    QVERIFY(allMatches("", QStringLiteral("word"), 10).empty());
    QVERIFY(TextSearch().isFinished());
  }

  void brokenUtf8IsSearchedToo() {
    const std::string text = "a\xFFword\xC3";
    QCOMPARE(allMatches(text, QStringLiteral("WORD"), 1).size(), std::size_t{1});
  }

  void aReaderGoesOnFromTheirPlace() {
    const std::vector<TextRange> matches{{10, 12}, {20, 22}};
    QCOMPARE(firstFrom(matches, 0), std::size_t{0});
    QCOMPARE(firstFrom(matches, 11), std::size_t{1});
    QCOMPARE(firstFrom(matches, 21), std::size_t{0});
  }

  void partsOfABookFollowWithoutGaps() {
    for (const auto& book : {madeBook(5, 3), madeBook(2, 2000), std::make_shared<const Document>()}) {
      const FlowParts parts(*book);
      std::size_t at = 0;
      for (int part = 0; part < parts.count(); ++part) {
        const TextRange range = parts.range(part);
        QCOMPARE(range.start, at);
        QVERIFY(range.end - range.start <= FlowParts::kLongBytes);
        if (range.end > range.start) QCOMPARE(parts.partOf(range.start), part);
        at = range.end;
      }
      QCOMPARE(at, book->text.size());
    }
    QCOMPARE(FlowParts(*madeBook(5, 3)).count(), 5);
  }

  void textWithoutSectionsIsCutBetweenParagraphs() {
    Document document;
    while (document.text.size() < 3 * FlowParts::kLongBytes) document.text += "A paragraph of some words.\n\n";
    const FlowParts parts(document);
    QVERIFY(parts.count() > 3);
    for (int part = 1; part < parts.count(); ++part) {
      QCOMPARE(document.text[parts.range(part).start], 'A');
    }
    document.text = std::string(200'000, 'x');  // no place to cut at all
    QVERIFY(FlowParts(document).count() > 3);
  }

  void sectionsOutsideTheTextDoNoHarm() {
    Document document;
    document.text = "short";
    document.sections = {{"a", 1, 3}, {"b", 1, 100}, {"c", 1, 2}};
    const FlowParts parts(document);
    QCOMPARE(parts.range(parts.count() - 1).end, std::size_t{5});
    QCOMPARE(parts.partOf(1000), parts.count() - 1);
  }

  void bytesAndPositionsAgree() {
    const std::string text =
        "x\n\naé𝄞b\xFF\xEF\xBF\xBC"
        "c\rd";
    const FlowText flow(text, {3, text.size()});
    QCOMPARE(flow.text(), QString::fromUtf8("aé\U0001D11E"
                                            "b\uFFFD c d"));
    QCOMPARE(flow.positionOf(6), 2);
    QCOMPARE(flow.byteOf(2), std::size_t{6});
    QCOMPARE(flow.byteOf(3), std::size_t{6});  // the second half of a pair
    QCOMPARE(flow.byteOf(4), std::size_t{10});
    QCOMPARE(flow.byteOf(100), text.size());
    QCOMPARE(flow.positionOf(0), 0);
    QCOMPARE(flow.positionOf(10'000), static_cast<int>(flow.text().size()));
  }

  void backAndForwardLeadToThePlacesLeft() {
    PlaceHistory history;
    QVERIFY(!history.back({1, 0, 1}));
    history.leave({1, 0, 1});
    history.leave({5, 0.5, 1});
    const auto five = history.back({9, 0, 1});
    QVERIFY(five && five->page == 5);
    const auto one = history.back(*five);
    QVERIFY(one && one->page == 1);
    QVERIFY(!history.hasBack());
    QCOMPARE(history.forward(*one)->page, 5);
    QCOMPARE(history.forward({5, 0.5, 1})->page, 9);
    history.leave({7, 0, 1});
    QVERIFY(!history.hasForward());
  }

  void historyIsBounded() {
    PlaceHistory history;
    for (int page = 0; page < 10'000; ++page) history.leave({page, 0, 1});
    std::size_t count = 0;
    while (history.back({-1, 0, 1})) ++count;
    QCOMPARE(count, PlaceHistory::kMostPlaces);
  }

  void pagesAreNamedByLabelFirstThenByNumber() {
    Document document;
    for (const char* label : {"i", "ii", "1", "2", "A-3"}) document.pages.push_back({label, 600, 800, 0, 0});
    QCOMPARE(pageNamed(document, QStringLiteral("ii")), std::optional<int>(1));
    QCOMPARE(pageNamed(document, QStringLiteral(" 2 ")), std::optional<int>(3));
    QCOMPARE(pageNamed(document, QStringLiteral("a-3")), std::optional<int>(4));
    QCOMPARE(pageNamed(document, QStringLiteral("5")), std::optional<int>(4));
    for (const char* none : {"", "6", "0", "-1", "iv", "99999999999"}) {
      QVERIFY(!pageNamed(document, QString::fromLatin1(none)));
    }
  }

  void theOutlineIsATree() {
    auto document = std::make_shared<Document>();
    document->text = std::string(100, 'x');
    document->sections = {{"1", 1, 0}, {"1.1", 2, 10}, {"1.1.1", 3, 20}, {"1.2", 2, 30}, {"2", 1, 40}};
    OutlineModel model;
    model.setDocument(document);
    QCOMPARE(model.rowCount({}), 2);
    const QModelIndex first = model.index(0, 0, {});
    QCOMPARE(model.rowCount(first), 2);
    const QModelIndex inner = model.sectionAt(25);
    QCOMPARE(inner.data().toString(), QStringLiteral("1.1.1"));
    QCOMPARE(inner.parent().parent(), first);
    QCOMPARE(model.byteOf(model.index(1, 0, {})), std::size_t{40});
    model.setDocument(nullptr);
    QCOMPARE(model.rowCount({}), 0);
    QVERIFY(!model.sectionAt(5).isValid());
  }
};

}  // namespace
}  // namespace kvasir

QTEST_GUILESS_MAIN(kvasir::TextPartsTest)
#include "text_parts_test.moc"
