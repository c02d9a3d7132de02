#include <QTest>

#include "ui/panels/answer_marks.h"
#include "ui/panels/conversation_html.h"
#include "ui/panels/library_model.h"

using namespace kvasir;

namespace {

EvidenceRow row(int rank, const QString& text, std::size_t start = 0) {
  EvidenceRow made;
  made.rank = rank;
  made.chunk = rank;
  made.layers = 3;
  made.text = text;
  made.range = {start, start + static_cast<std::size_t>(text.toUtf8().size())};
  return made;
}

std::vector<EvidenceRow> someRows() {
  return {
      row(1, QStringLiteral("OPM processed 78.8 percent of pending retirement claims within 60 days."), 100),
      row(2, QStringLiteral("The agency hired veterans. Façade works were finished in May."), 400),
      row(3, QStringLiteral("Unrelated words about gardens and rivers."), 800)};
}

LibraryRow document(const QString& key, const QString& title, const QString& collection = {}) {
  LibraryRow made;
  made.key = key;
  made.title = title;
  made.collection = collection;
  made.isImported = true;
  return made;
}

}  // namespace

class PanelPartsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void marksTheEvidenceThatSharesTheWords() {
    const QString answer =
        QStringLiteral("In FY 2014 OPM processed 78.8 percent of claims. It hired many veterans.");
    const auto marks = marksOf(answer, someRows());
    QCOMPARE(marks.size(), 2U);
    QCOMPARE(answer.mid(marks[1].start, marks[1].end - marks[1].start),
             QStringLiteral("It hired many veterans."));
    QCOMPARE(marks[0].ranks, std::vector<int>{1});
    QCOMPARE(marks[1].ranks, std::vector<int>{2});
  }

  void marksNothingWhereNoEvidenceSaysIt() {
    const auto marks = marksOf(QStringLiteral("Bananas are yellow."), someRows());
    QCOMPARE(marks.size(), 1U);
    QVERIFY(marks[0].ranks.empty());
    QVERIFY(marksOf({}, someRows()).empty());
  }

  void marksNoBlockedEvidence() {
    std::vector<EvidenceRow> rows = someRows();
    rows[1].isBlocked = true;
    QVERIFY(marksOf(QStringLiteral("It hired many veterans."), rows)[0].ranks.empty());
  }

  void marksScriptsWithoutSpaces() {
    const auto marks = marksOf(
        QStringLiteral("退休申请在六十天内处理。"),
        {row(1, QStringLiteral("该机构在六十天内处理了退休申请。")), row(2, QStringLiteral("河流与花园。"))});
    QCOMPARE(marks[0].ranks, std::vector<int>{1});
  }

  void findsTheSentenceInBytesOfTheDocument() {
    const EvidenceRow second = someRows()[1];
    const TextRange place = placeInRow(second, QStringLiteral("The façade was finished."));
    const QByteArray bytes = second.text.toUtf8();
    QCOMPARE(QString::fromUtf8(
                 bytes.mid(static_cast<int>(place.start - 400), static_cast<int>(place.end - place.start))),
             QStringLiteral("Façade works were finished in May."));
    QVERIFY(placeInRow(second, QStringLiteral("Bananas.")) == second.range);
  }

  void saysWhenTheEvidenceIsWeak() {
    const QString question = QStringLiteral("What percent of retirement claims did OPM process?");
    QVERIFY(isSupported(question, QStringLiteral("78.8 percent"), someRows()));
    QVERIFY(!isSupported(question, QStringLiteral("78.8 percent"), {}));
    QVERIFY(!isSupported(question, QStringLiteral("91.2 euros yearly"), someRows()));
    QVERIFY(!isSupported(QStringLiteral("Who painted the Mona Lisa portrait?"), QStringLiteral("veterans"),
                         someRows()));
    QVERIFY(isSupported(question, {}, someRows()));
  }

  void readsItsOwnLinks() {
    const ConversationLink link = parseLink(QStringLiteral("mark:12:3:1"));
    QVERIFY(link.kind == ConversationLink::Kind::Mark);
    QCOMPARE(link.exchange, 12);
    QCOMPARE(link.rank, 3);
    QCOMPARE(link.sentence, 1);
    QVERIFY(parseLink(QStringLiteral("again:-4")).kind == ConversationLink::Kind::Again);
    QCOMPARE(parseLink(QStringLiteral("again:-4")).exchange, -4);
    QVERIFY(parseLink(QStringLiteral("https://example.org")).kind == ConversationLink::Kind::None);
    QVERIFY(parseLink(QStringLiteral("mark:12")).kind == ConversationLink::Kind::None);
  }

  void writesAnswersAsTextNotAsHtml() {
    Exchange exchange;
    exchange.number = 7;
    exchange.question = QStringLiteral("Is 1 < 2 <b>?</b>");
    exchange.answer = QStringLiteral("<img src=x> & more");
    const QString html = htmlOf(exchange, true, {});
    QVERIFY(html.contains(QLatin1String("&lt;img src=x&gt; &amp; more")));
    QVERIFY(html.contains(QLatin1String("1 &lt; 2 &lt;b&gt;")));
    QVERIFY(html.contains(QLatin1String("again:7")));
  }

  void tellsTheStepsOfAnAnswerUnderIt() {
    Exchange exchange;
    exchange.answer = QStringLiteral("Whale oil.");
    QVERIFY(!htmlOf(exchange, true, {}).contains(QLatin1String("search")));
    exchange.steps = {QStringLiteral("search  <b>the lamp</b>  (p. 3)"), QStringLiteral("use  answer")};
    const QString html = htmlOf(exchange, true, {});
    QVERIFY(html.contains(QLatin1String("search  &lt;b&gt;the lamp&lt;/b&gt;  (p. 3)<br>use  answer")));
    QVERIFY(html.indexOf(QLatin1String("Whale oil.")) < html.indexOf(QLatin1String("use  answer")));
  }

  void saysOnHowManyDocumentsAnAnswerRests() {
    Exchange exchange;
    exchange.documents = {QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")};
    QVERIFY(htmlOf(exchange, true, {}).contains(QStringLiteral("<small>3 documents · ")));
    exchange.evidence = someRows();
    for (EvidenceRow& found : exchange.evidence) found.document = QStringLiteral("b");
    exchange.evidence[0].document = QStringLiteral("a");
    QVERIFY(htmlOf(exchange, true, {}).contains(QLatin1String("3 passages from 2 of 3 documents")));
    // What no layer attended to was pinned or blocked, and bears nothing.
    exchange.evidence[0].layers = 0;
    QVERIFY(htmlOf(exchange, true, {}).contains(QLatin1String("2 passages from 1 of 3 documents")));
    exchange.evidence[1].isBlocked = true;
    QVERIFY(htmlOf(exchange, true, {}).contains(QLatin1String("1 passage from 1 of 3 documents")));
  }

  void filtersByWordsAndCollection() {
    LibraryModel model;
    LibraryFilter filter;
    filter.setSourceModel(&model);
    model.setRows({document(QStringLiteral("a"), QStringLiteral("Annual report"), QStringLiteral("Work")),
                   document(QStringLiteral("b"), QStringLiteral("Moby Dick")),
                   document(QStringLiteral("c"), QStringLiteral("Report of whales"), QStringLiteral("Sea"))});
    filter.setSearch(QStringLiteral("report"));
    QCOMPARE(filter.rowCount(), 2);
    filter.setSearch(QStringLiteral("REPORT whales"));
    QCOMPARE(filter.rowCount(), 1);
    filter.setSearch({});
    filter.setCollection(QStringLiteral("Work"));
    QCOMPARE(filter.rowCount(), 1);
  }

  void changesRowsInPlace() {
    LibraryModel model;
    model.setRows({document(QStringLiteral("a"), QStringLiteral("A"))});
    int resets = 0, changes = 0;
    connect(&model, &QAbstractItemModel::modelReset, this, [&] { ++resets; });
    connect(&model, &QAbstractItemModel::dataChanged, this, [&] { ++changes; });
    LibraryRow reading = document(QStringLiteral("a"), QStringLiteral("A"));
    reading.state = DocumentState::Reading;
    reading.share = 0.43;
    reading.secondsLeft = 41;
    model.setRows({reading});
    QCOMPARE(resets, 0);
    QCOMPARE(changes, 1);
    QCOMPARE(describeState(model.rowAt(0)), QStringLiteral("Reading 43 %, 0:41 left"));
    model.setRows({reading});
    QCOMPARE(changes, 1);
    model.setRows({});
    QCOMPARE(resets, 1);
  }

  void leavesOutPagesAndThenTimeWhereThereIsLittleRoom() {
    LibraryRow row;
    row.pages = 24;
    row.state = DocumentState::Reading;
    row.share = 0.43;
    row.secondsLeft = 41;
    const auto within = [&](int letters) {
      return describeRowWithin(row, [=](const QString& text) { return text.size() <= letters; });
    };
    QCOMPARE(within(40), QStringLiteral("24 pages · Reading 43 %, 0:41 left"));
    QCOMPARE(within(30), QStringLiteral("Reading 43 %, 0:41 left"));
    QCOMPARE(within(15), QStringLiteral("Reading 43 %"));
    QCOMPARE(within(3), QStringLiteral("Reading 43 %"));
  }

  void tellsTimeAsClocksDo() {
    QCOMPARE(asClock(41.2), QStringLiteral("0:41"));
    QCOMPARE(asClock(725), QStringLiteral("12:05"));
    QCOMPARE(asClock(3723), QStringLiteral("1:02:03"));
  }
};

QTEST_MAIN(PanelPartsTest)
#include "panel_parts_test.moc"
