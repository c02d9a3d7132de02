#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QPalette>
#include <QSignalSpy>
#include <QStyleOption>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <chrono>
#include <cmath>

#include "app/text.h"
#include "app/window/conversations.h"
#include "app/window/evidence_of.h"
#include "app/window/exchange_store.h"
#include "app/window/follow_up.h"
#include "app/window/log_file.h"
#include "app/window/preferences.h"
#include "app/window/report.h"
#include "app/window/shelf.h"
#include "app/window/single_instance.h"
#include "app/window/theme.h"
#include "app/window/word_difference.h"
#include "tests/ui/full_disk.h"

using namespace kvasir;
using namespace std::chrono_literals;

namespace {

QString s(const char* text) { return QString::fromUtf8(text); }

EvidenceRow someRow(int rank) {
  EvidenceRow row;
  row.rank = rank;
  row.chunk = 4 + rank;
  row.score = 0.25 * rank;
  row.layers = 3;
  row.share = 0.125;
  row.section = s("2 Results › 2.1");
  row.pages = s("17–18");
  row.text = s("Twelve \"whales\",\nwere counted 🐋.");
  row.range = {100, 140};
  row.isPinned = rank == 1;
  return row;
}

Exchange someExchange(const char* document = "abc") {
  static qint64 number = 0;
  Exchange exchange;
  exchange.number = ++number;
  exchange.document = s(document);
  exchange.conversation = 7 + static_cast<qint64>(s(document).size());
  exchange.question = s("How many whales?");
  exchange.answer = s("Twelve whales were counted. Äöü 🐋");
  exchange.note = s("Without passage 3.");
  exchange.steps = {s("search  Who?  (p. 3)"), s("note  It was <he>.")};
  exchange.method = s("infllm");
  exchange.budgetTokens = 2048;
  exchange.coverage = 0.75;
  exchange.kvBytesInMemory = 5'000'000'000;
  exchange.kvBytesOnDisk = 7;
  exchange.logProbability = -3.5;
  exchange.blocked = {3};
  exchange.evidence = {someRow(1), someRow(2)};
  exchange.chunks = {{0, 50}, {50, 100}};
  auto maps = std::make_shared<AnswerMaps>();
  maps->method = exchange.method;
  maps->retrieved.layers = 2;
  maps->retrieved.chunks = 2;
  maps->retrieved.mass = {0.1F, 0.2F, 0.3F, 0.4F};
  maps->retrieved.attended = {1, 0, 1, 1};
  maps->retrieved.seenShare = {1, 0, 0.25F, 1};
  maps->firstTokens = {0, 10, 20};
  maps->sections = {{1, s("Results"), 1}};
  exchange.maps = maps;
  return exchange;
}

QString contentsOf(const QString& file) {
  QFile opened(file);
  return opened.open(QIODevice::ReadOnly) ? QString::fromUtf8(opened.readAll()) : QString();
}

/// Of two colours, as WCAG 2.1 defines it: 1 to 21.
double contrastOf(const QColor& a, const QColor& b) {
  const auto luminance = [](const QColor& colour) {
    const auto linear = [](double part) {
      return part <= 0.03928 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
  };
  const double first = luminance(a) + 0.05, second = luminance(b) + 0.05;
  return std::max(first, second) / std::min(first, second);
}

/// The greatest contrast with the window from the left edge to the middle of something unticked.
double outlineContrast(QStyle::PrimitiveElement element, QStyle::State state, int pixelRatio) {
  QPalette palette = QApplication::palette();
  if (!(state & QStyle::State_Enabled)) palette.setCurrentColorGroup(QPalette::Disabled);
  QStyleOptionButton option;
  option.rect = QRect(4, 4, 14, 14);
  option.palette = palette;
  option.state = state | QStyle::State_Off;
  QImage image(QSize(22, 22) * pixelRatio, QImage::Format_RGB32);
  image.setDevicePixelRatio(pixelRatio);
  image.fill(palette.color(QPalette::Window));
  QPainter painter(&image);
  QApplication::style()->drawPrimitive(element, &option, &painter);
  painter.end();
  double most = 1;
  for (int x = 0; x < image.width() / 2; ++x)
    most = std::max(most, contrastOf(image.pixelColor(x, image.height() / 2), palette.color(QPalette::Window)));
  return most;
}

}  // namespace

class WindowPartsTest : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  QString path(const char* name) const { return folder_.filePath(QString::fromLatin1(name)); }

 private Q_SLOTS:
  void keepsConversationsWithTheirEvidence() {
    const auto file = pathOf(path("kept.sqlite").toStdString());
    Exchange before = someExchange();
    before.evidence[0].parts = ScoreParts{-0.5, 0.75};
    {
      Conversations conversations(file);
      Exchange asked = before;
      asked.isUnanswered = true;
      asked.answer.clear();
      conversations.keep(asked);
      conversations.keep(someExchange("other"));
      QVERIFY(conversations.exchanges(before.conversation).at(0)->isUnanswered);
      conversations.keep(before);  // the answer takes its place
    }
    Conversations again(file);
    QCOMPARE(again.of("abc").size(), 1U);
    const auto kept = again.exchanges(again.of("abc")[0].id);
    QCOMPARE(kept.size(), 1U);
    const Exchange& exchange = *kept[0];
    QCOMPARE(exchange.number, before.number);
    QVERIFY(!exchange.isUnanswered);
    QCOMPARE(exchange.answer, before.answer);
    QCOMPARE(exchange.note, before.note);
    QCOMPARE(exchange.steps, before.steps);
    QCOMPARE(exchange.coverage, before.coverage);
    QCOMPARE(exchange.kvBytesInMemory, before.kvBytesInMemory);
    QCOMPARE(exchange.kvBytesOnDisk, before.kvBytesOnDisk);
    QCOMPARE(exchange.blocked, before.blocked);
    QCOMPARE(exchange.evidence.size(), 2U);
    QCOMPARE(exchange.evidence[0].text, before.evidence[0].text);
    QVERIFY(exchange.evidence[0].range == before.evidence[0].range);
    QVERIFY(exchange.evidence[0].isPinned && !exchange.evidence[1].isPinned);
    QVERIFY(exchange.evidence[0].parts && !exchange.evidence[1].parts);
    QCOMPARE(exchange.evidence[0].parts->states, -0.5);
    QCOMPARE(exchange.evidence[0].parts->words, 0.75);
    QVERIFY(exchange.chunks == before.chunks);
    QCOMPARE(exchange.maps->retrieved.mass, before.maps->retrieved.mass);
    QCOMPARE(exchange.maps->retrieved.seenShare, before.maps->retrieved.seenShare);
    QCOMPARE(exchange.maps->sections[0].label, s("Results"));
    again.forget("abc");
    QVERIFY(again.of("abc").empty());
    QCOMPARE(again.of("other").size(), 1U);
  }

  void keepsSeveralConversationsOfADocument() {
    const auto file = pathOf(path("several.sqlite").toStdString());
    Exchange first = someExchange(), second = someExchange();
    second.conversation = 99;
    second.question = s("And how many seals?");
    {
      Conversations conversations(file);
      conversations.keep(first);
      conversations.keep(second);
      conversations.keep(someExchange());
      conversations.name(99, "Seals");
    }
    Conversations again(file);
    const auto kept = again.of("abc");
    QCOMPARE(kept.size(), 2U);
    QCOMPARE(kept[0].id, first.conversation);  // the last one spoken in
    QCOMPARE(kept[0].title, first.question);   // without a title of its own
    QCOMPARE(kept[1].title, s("Seals"));
    QCOMPARE(again.exchanges(first.conversation).size(), 2U);
    QCOMPARE(again.exchanges(99)[0]->question, second.question);
    again.drop(99);
    QCOMPARE(again.of("abc").size(), 1U);
    QVERIFY(again.exchanges(99).empty());
  }

  void takesOverTheConversationsOfAnEarlierVersion() {
    const auto file = pathOf(path("old.sqlite").toStdString());
    {
      Database database{std::filesystem::path(file)};
      database.run(
          "CREATE TABLE exchanges (number INTEGER PRIMARY KEY, document_id TEXT NOT NULL, body TEXT NOT NULL, "
          "maps BLOB NOT "
          "NULL);"
          "CREATE INDEX exchanges_by_document ON exchanges (document_id, number);"
          "CREATE TABLE collections (document_id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;"
          "CREATE TABLE places (document_id TEXT PRIMARY KEY, page INTEGER NOT NULL, top REAL NOT NULL, zoom "
          "REAL NOT NULL, "
          "fit INTEGER NOT NULL) WITHOUT ROWID;"
          "INSERT INTO exchanges VALUES (1, 'abc', '{\"question\": \"How many?\", \"evidence\": [{\"rank\": "
          "1}]}', '');"
          "INSERT INTO exchanges VALUES (2, 'abc', '{\"question\": \"Where?\"}', '');"
          "INSERT INTO exchanges VALUES (3, 'other', '{\"question\": \"Who?\"}', '');"
          "PRAGMA user_version = 1");
    }
    Conversations conversations(file);
    const auto kept = conversations.of("abc");
    QCOMPARE(kept.size(), 1U);
    QCOMPARE(kept[0].title, s("How many?"));
    const auto exchanges = conversations.exchanges(kept[0].id);
    QCOMPARE(exchanges.size(), 2U);
    QCOMPARE(exchanges[0]->evidence[0].document, s("abc"));
    QVERIFY(!exchanges[0]->evidence[0].parts);
    QCOMPARE(conversations.of("other").size(), 1U);
  }

  void keepsWhichDocumentsWereAskedAndHowFarTheyWereRead() {
    Conversations conversations(pathOf(path("joined.sqlite").toStdString()));
    Exchange exchange = someExchange();
    exchange.documents = {s("abc"), s("def")};
    exchange.chunkDocuments = {0, 1};
    exchange.evidence[1].document = s("def");
    exchange.evidence[1].title = s("Another");
    exchange.documentTokens = 200;
    exchange.readTokens = 50;
    exchange.leftOut = 4;
    conversations.keep(exchange);
    const ExchangePointer kept = conversations.exchanges(exchange.conversation).at(0);
    QCOMPARE(documentsOf(*kept), exchange.documents);
    QCOMPARE(documentOf(*kept, 1), s("def"));
    QCOMPARE(kept->evidence[0].document, s("abc"));
    QCOMPARE(kept->evidence[1].title, s("Another"));
    QCOMPARE(shareRead(*kept), 0.25);
    QCOMPARE(kept->leftOut, 4);
  }

  void keepsPlacesAndCollections() {
    Conversations conversations(pathOf(path("places.sqlite").toStdString()));
    QVERIFY(!conversations.place("abc"));
    conversations.setPlace("abc", {3, 0.25, 1.5, Fit::Width});
    QCOMPARE(conversations.place("abc")->page, 3);
    QVERIFY(conversations.place("abc")->fit == Fit::Width);
    conversations.collect("abc", "Work");
    conversations.collect("abc", "Home");
    QCOMPARE(conversations.collections().size(), 1U);
    QCOMPARE(conversations.collections()[0].second, std::string("Home"));
    conversations.collect("abc", {});
    QVERIFY(conversations.collections().empty());
  }

  void saysWhetherChunksSeenInPartCountAsWhole() {
    EvidenceMap full, retrieved;
    full.layers = retrieved.layers = 2;
    full.chunks = retrieved.chunks = 2;
    full.mass = {0.2F, 0.6F, 0.4F, 0};
    retrieved.attended = {1, 0, 1, 1};
    retrieved.seenShare = {1, 0, 1, 0.5F};  // what draws nothing may be hidden
    auto checked = checkedCoverage(full, retrieved);
    QVERIFY(checked && !checked->isAtMost);
    QVERIFY(std::abs(checked->share - (0.25 + 1) / 2) < 1e-6);
    retrieved.seenShare = {0.5F, 0, 1, 1};
    checked = checkedCoverage(full, retrieved);
    QVERIFY(checked->isAtMost);
    QVERIFY(std::abs(checked->share - (0.25 + 1) / 2) < 1e-6);
    full.seenShare = {0.5F, 1, 1, 1};  // the layer's own window
    QVERIFY(!checkedCoverage(full, retrieved)->isAtMost);
    retrieved.seenShare.clear();  // of an earlier version
    QVERIFY(checkedCoverage(full, retrieved)->isAtMost);
    retrieved.attended.clear();
    QVERIFY(!checkedCoverage(full, retrieved));
  }

  void leavesDamagedMapsOut() {
    const std::string packed = packMaps(someExchange());
    for (std::size_t cut = 0; cut < packed.size(); ++cut) {
      Exchange exchange;
      unpackMaps(packed.substr(0, cut), exchange);
      QVERIFY(!exchange.maps);
    }
    Exchange exchange = someExchange();
    auto maps = std::make_shared<AnswerMaps>(*exchange.maps);
    maps->retrieved.mass.pop_back();
    exchange.maps = maps;
    Exchange unpacked;
    unpackMaps(packMaps(exchange), unpacked);
    QVERIFY(!unpacked.maps);
    QVERIFY(!parseBody("[1, 2"));
    QVERIFY(parseBody("{\"budget\": \"much\", \"evidence\": [1, {}]}"));
  }

  void exportsConversationsWithQuotesAndPages() {
    const Report report{s("Whales"), s("/tmp/whales.pdf"), {std::make_shared<const Exchange>(someExchange())}};
    const QString markdown = asMarkdown(report);
    QVERIFY(markdown.contains(s("## How many whales?")));
    QVERIFY(markdown.contains(s("KV 5.0 GB in memory")));
    QVERIFY(markdown.contains(s("Twelve whales were counted. \\[1\\]")));
    QVERIFY(markdown.contains(s("page 17–18, 2 Results › 2.1")));
    const QString html = asHtml(report);
    QVERIFY(html.contains(s("<blockquote><p><b>[1] page 17–18")));
    QVERIFY(html.contains(s("&quot;whales&quot;")));
    for (const char* name : {"r.md", "r.html", "r.pdf"}) {
      writeReport(report, path(name));
      QVERIFY(QFile(path(name)).size() > 100);
    }
    QFile pdf(path("r.pdf"));
    QVERIFY(pdf.open(QIODevice::ReadOnly));
    QCOMPARE(pdf.read(5), QByteArray("%PDF-"));
  }

  void quotesWhatMarksNameAndTellsWhatWasAsked() {
    Exchange exchange = someExchange();
    exchange.asked = s("Earlier I asked: Who?\nNow I ask: How many whales?");
    exchange.answer = s("Seventeen narwhals surfaced near Spitsbergen.");
    exchange.evidence.clear();
    for (int rank = 1; rank <= 14; ++rank) {
      exchange.evidence.push_back(someRow(rank));
      exchange.evidence.back().rank = rank;
      exchange.evidence.back().text = s("Nothing of note.");
    }
    exchange.evidence[11].text = s("Seventeen narwhals surfaced near Spitsbergen.");
    const Report report{s("Whales"), {}, {std::make_shared<const Exchange>(exchange)}};
    const QString markdown = asMarkdown(report), html = asHtml(report);
    QVERIFY(markdown.contains(s("Spitsbergen. \\[12\\]")));
    QVERIFY(markdown.contains(s("> [8]")) && markdown.contains(s("> [12]")) && !markdown.contains(s("> [11]")));
    QVERIFY(html.contains(s("<b>[12] ")) && !html.contains(s("<b>[9] ")));
    QVERIFY(markdown.contains(s("Asked: Earlier I asked: Who? Now I ask")));
    QVERIFY(html.contains(s("Asked: Earlier I asked: Who? Now I ask")));
  }

  void failsToExportWithASentence() {
    const Report report{s("Whales"), {}, {}};
    for (const char* name : {"/no/such/folder/r.md", "/no/such/folder/r.pdf"})
      QVERIFY_EXCEPTION_THROWN(writeReport(report, s(name)), std::runtime_error);
  }

#ifndef _WIN32
  void keepsTheOldFileWhereTheDiskIsFull() {
    const Report report{s("Whales"), {}, {std::make_shared<const Exchange>(someExchange())}};
    for (const char* name : {"full.md", "full.html", "full.pdf"}) {
      QFile old(path(name));
      QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
      old.close();
      {
        const FullDisk full;
        QVERIFY_EXCEPTION_THROWN(writeReport(report, path(name)), std::runtime_error);
      }
      QCOMPARE(contentsOf(path(name)), s("old"));
    }
  }
#endif

  void keepsPreferences() {
    const PreferencesFile file(path("config"));
    Preferences preferences;
    preferences.settings.method = s("full");
    preferences.settings.budgetTokens = 4096;
    preferences.settings.theme = Theme::Dark;
    preferences.settings.readsInBackground = false;
    preferences.recent = QStringList{s("/tmp/ä.pdf")};
    QVERIFY(file.save(preferences));
    const Preferences loaded = file.load();
    QVERIFY(loaded.settings == preferences.settings);
    QCOMPARE(loaded.recent, preferences.recent);
  }

  void noticesThatPreferencesCannotBeWritten() {
    QVERIFY(QDir().mkpath(path("blocked/kvasir.ini")));  // a folder in the file's place
    QVERIFY(!PreferencesFile(path("blocked")).save({}));
  }

  void takesDefaultsForPreferencesOutOfRange() {
    QVERIFY(QDir().mkpath(path("odd")));
    QFile ini(path("odd/kvasir.ini"));
    QVERIFY(ini.open(QIODevice::WriteOnly));
    ini.write("[asking]\nbudget=-7\n[look]\ntheme=99\nfont=x\n[model]\ndevice=5\n");
    ini.close();
    const Preferences loaded = PreferencesFile(path("odd")).load();
    QCOMPARE(loaded.settings.budgetTokens, 2048);
    QVERIFY(loaded.settings.theme == Theme::System);
    QVERIFY(loaded.settings.device == Device::Auto);
  }

  void outlinesWhatCanBeTickedSoThatItIsSeen() {
    const QPalette before = QApplication::palette();
    Look look(*qApp);
    for (const Theme theme : {Theme::Light, Theme::Dark}) {
      look.apply(theme, 0);
      for (const auto element : {QStyle::PE_IndicatorCheckBox, QStyle::PE_IndicatorRadioButton,
                                 QStyle::PE_IndicatorItemViewItemCheck})
        for (const QStyle::State state : {QStyle::State_Enabled, QStyle::State_None})
          for (const int pixelRatio : {1, 2}) {
            const double contrast = outlineContrast(element, state, pixelRatio);
            QVERIFY2(contrast >= 3, qPrintable(s("element %1 of theme %2, state %3, at %4x: %5")
                                                   .arg(element)
                                                   .arg(static_cast<int>(theme))
                                                   .arg(static_cast<int>(state))
                                                   .arg(pixelRatio)
                                                   .arg(contrast)));
          }
    }
    QApplication::setPalette(before);
  }

  void remembersTenRecentFilesOnce() {
    QStringList recent;
    for (int i = 0; i < 12; ++i) recent = withRecent(recent, QString::number(i));
    recent = withRecent(recent, s("5"));
    QCOMPARE(recent.size(), 10);
    QCOMPARE(recent.first(), s("5"));
    QCOMPARE(recent.count(s("5")), 1);
  }

  void turnsTheLogOver() {
    LogFile log(path("logs"), 100);
    for (int i = 0; i < 12; ++i) log.write(s("A line of some length,\nwith a break."));
    QVERIFY(QFile::exists(path("logs/kvasir.log")));
    QVERIFY(QFile::exists(path("logs/kvasir.1.log")));
    QVERIFY(QFile::exists(path("logs/kvasir.2.log")));
    QVERIFY(!QFile::exists(path("logs/kvasir.3.log")));
    QVERIFY(contentsOf(path("logs/kvasir.log")).contains(s("length, with")));
  }

  void noticesARunThatDidNotEndByItself() {
    {
      const RunMarker first(path("run"));
      QVERIFY(!first.wasLeft());
      QVERIFY(RunMarker(path("run")).wasLeft());
    }
    QVERIFY(!RunMarker(path("run")).wasLeft());
  }

  void handsFilesToTheRunningInstance() {
    SingleInstance first(path("one")), other(path("two"));
    QVERIFY(!first.handOver({s("a.pdf")}, {}, 500ms));
    first.listen();
    QSignalSpy received(&first, &SingleInstance::received);
    QThread* sender = QThread::create([this] {
      if (SingleInstance(path("one")).handOver({s("/tmp/ä.pdf"), s("b.pdf")}, s("Why?"), 10s))
        setProperty("taken", true);
    });
    sender->start();
    QTRY_COMPARE(received.size(), 1);
    QCOMPARE(received[0][0].toStringList(), (QStringList{s("/tmp/ä.pdf"), s("b.pdf")}));
    QCOMPARE(received[0][1].toString(), s("Why?"));
    QTRY_VERIFY(sender->isFinished());
    delete sender;
    QVERIFY(property("taken").toBool());
    QVERIFY(!other.handOver({}, {}, 500ms));
  }

  /// From its start to its end, whether it listens yet or no more.
  void isFirstWhileNoOtherIs() {
    using Standing = SingleInstance::Standing;
    auto first = std::make_unique<SingleInstance>(path("alone"));
    SingleInstance second(path("alone")), other(path("beside"));
    QVERIFY(first->begin({}, {}, 10ms) == Standing::First);
    QVERIFY(second.begin({s("a.pdf")}, {}, 200ms) == Standing::Unheard);
    QVERIFY(other.begin({}, {}, 10ms) == Standing::First);
    first.reset();
    QVERIFY(second.begin({}, {}, 10ms) == Standing::First);
  }

  void waitsForAnInstanceThatIsAboutToListen() {
    SingleInstance first(path("late"));
    QVERIFY(first.begin({}, {}, 10ms) == SingleInstance::Standing::First);
    QSignalSpy received(&first, &SingleInstance::received);
    QThread* sender = QThread::create([this] {
      const auto standing = SingleInstance(path("late")).begin({s("a.pdf")}, {}, 10s);
      setProperty("standing", static_cast<int>(standing));
    });
    sender->start();
    QTRY_VERIFY(sender->isRunning());
    first.listen();
    QTRY_COMPARE(received.size(), 1);
    QTRY_VERIFY(sender->isFinished());
    delete sender;
    QCOMPARE(property("standing").toInt(), static_cast<int>(SingleInstance::Standing::HandedOver));
  }

  void carriesAsManyTurnsIntoAFollowUpAsFit() {
    const auto said = [](const QString& question, const QString& answer) {
      Exchange exchange;
      exchange.question = question;
      exchange.answer = answer;
      return std::make_shared<const Exchange>(exchange);
    };
    QCOMPARE(followUpOf({}, s("And then?")), QString());
    QCOMPARE(followUpOf({said(s("Who?"), {})}, s("And then?")), QString());
    QCOMPARE(followUpOf(
                 {said(s("Who?"), s("An old one.")), said(s("When?"), s("In May.")), said(s("Who?"), s("He."))},
                 s("And then?")),
             s("Earlier I asked: When?\nThe answer was: In May.\nEarlier I asked: Who?\nThe answer was: He.\n"
               "Now I ask: And then?"));
    std::vector<ExchangePointer> many;
    for (int turn = 0; turn < 40; ++turn)
      many.push_back(said(s("Question %1?").arg(turn), s("words of an answer ").repeated(5)));
    const QString asked = followUpOf(many, s("And then?"));
    QVERIFY(asked.contains(s("Question 39?")) && asked.contains(s("Question 35?")));
    QVERIFY(!asked.contains(s("Question 20?")));
    QVERIFY(asked.toUtf8().size() <= 4 * kFollowUpTokens + 40);
    // One turn goes with it however long it is.
    const QString cut = followUpOf({said(s("Ünd? ").repeated(900), s("鯨").repeated(900))}, s("And then?"));
    QVERIFY(cut.contains(s("Ünd?")) && cut.contains(s("鯨")) && cut.contains(s("…")));
    QVERIFY(cut.toUtf8().size() <= 4 * kFollowUpTokens + 40);
  }

  void saysWhichWordsWentAndCame() {
    const WordDifference difference =
        differenceOf(s("78.8 percent of all claims"), s("about 80 percent of claims"));
    QCOMPARE(difference.gone, (QStringList{s("78.8"), s("all")}));
    QCOMPARE(difference.come, (QStringList{s("about"), s("80")}));
    QCOMPARE(describe(differenceOf(s("a b"), s("a b"))), s("The answer is the same."));
  }

  void keepsOneRowADocument() {
    Shelf shelf;
    shelf.addFile(s("/tmp/a.pdf"));
    shelf.fail(s("/tmp/a.pdf"), s("It is empty."));
    QVERIFY(shelf.find(s("/tmp/a.pdf"))->state == DocumentState::Failed);
    shelf.addFile(s("/tmp/a.pdf"));
    QCOMPARE(shelf.rows().size(), 1U);
    QVERIFY(shelf.rows()[0].state == DocumentState::Waiting);
    DocumentRecord record;
    record.id = "0123456789ab";
    record.title = "A";
    record.pages = 3;
    QVERIFY(shelf.imported(s("/tmp/a.pdf"), record));
    shelf.addFile(s("/tmp/copy.pdf"));
    QVERIFY(!shelf.imported(s("/tmp/copy.pdf"), record));
    QCOMPARE(shelf.rows().size(), 1U);
    QCOMPARE(shelf.rows()[0].title, s("A"));
  }

  void keepsWhatWasStoppedOrFailedUntilItIsRead() {
    Shelf shelf;
    Listed listed;
    for (const char* id : {"aaaa", "bbbb", "cccc"}) {
      listed.documents.emplace_back();
      listed.documents.back().record.id = id;
    }
    shelf.setListed(listed);
    shelf.setProgress(s("aaaa"), DocumentState::Stopped, 0.5, -1);
    shelf.fail(s("bbbb"), s("There is not enough memory."));
    shelf.setRead(listed);
    QVERIFY(shelf.find(s("aaaa"))->state == DocumentState::Stopped);
    QVERIFY(shelf.find(s("bbbb"))->state == DocumentState::Failed);
    QVERIFY(shelf.find(s("cccc"))->state == DocumentState::Waiting);
    for (ListedDocument& document : listed.documents) document.isRead = true;
    shelf.setRead(listed);
    for (const LibraryRow& row : shelf.rows()) QVERIFY(row.state == DocumentState::Ready && row.share == 1);
  }

  /// What was read whole for other settings says nothing of how far a reading for these has come.
  void waitsAnewForWhatNoReadingServes() {
    Shelf shelf;
    Listed listed;
    listed.documents.emplace_back();
    listed.documents.back().isRead = true;
    shelf.setListed(listed);
    listed.documents.back().isRead = false;
    listed.documents.back().shareRead = 0.25;
    shelf.setRead(listed);
    QVERIFY(shelf.rows()[0].state == DocumentState::Waiting);
    QCOMPARE(shelf.rows()[0].share, 0.25);
  }

  void hasReadablePalettes() {
    for (const QPalette& palette : {lightPalette(), darkPalette()}) {
      const int ink = palette.color(QPalette::Text).lightness(),
                paper = palette.color(QPalette::Base).lightness();
      QVERIFY(std::abs(ink - paper) > 150);
      QVERIFY(std::abs(palette.color(QPalette::Link).lightness() - paper) > 60);
    }
  }
};

QTEST_MAIN(WindowPartsTest)
#include "window_parts_test.moc"
