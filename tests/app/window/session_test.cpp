#include <QDateTime>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/text.h"
#include "app/window/session.h"
#include "tests/app/fake_engine.h"

using namespace kvasir;

namespace {

/// Work of the engine, not waiting: the thread is busy for so long.
void workFor(int milliseconds) {
  QElapsedTimer timer;
  timer.start();
  while (timer.elapsed() < milliseconds) {
  }
}

AskSettings readFor(const std::string& method = "infllm", int budgetTokens = 2048) {
  AskSettings settings;
  settings.method = method;
  settings.budgetTokens = budgetTokens;
  return settings;
}

}  // namespace

class SessionTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  std::unique_ptr<Session> session_;

  QString write(const QString& name, const QByteArray& text) const {
    QFile file(folder_->filePath(name));
    if (file.open(QIODevice::WriteOnly)) file.write(text);
    return file.fileName();
  }
  void start(Session::Reading reading = Session::Reading::InBackground,
             const AskSettings& settings = readFor()) {
    session_ = std::make_unique<Session>(pathOf(folder_->filePath(QStringLiteral("library")).toStdString()));
    QSignalSpy listed(session_.get(), &Session::listed);
    session_->start(settings, reading);
    QVERIFY(listed.wait());
  }
  Library openLibrary() const {
    return Library(pathOf(folder_->filePath(QStringLiteral("library")).toStdString()));
  }
  /// Of what was read of the first document by the method.
  std::string readingKey(const std::string& method) const {
    for (const ReadingRecord& reading : openLibrary().readings(keyOf(0).toStdString()))
      if (reading.method == method) return reading.key;
    return {};
  }
  /// As from the settings.
  void setReading(const AskSettings& settings, Session::Reading reading) {
    QSignalSpy listed(session_.get(), &Session::listed);
    session_->setReading(settings, reading);
    QVERIFY(listed.wait());
  }
  EngineJob otherModel() const {
    EngineJob job;
    job.settings.model = pathOf(write(QStringLiteral("other.gguf"), "GGUF").toStdString());
    return job;
  }
  void readOne() {
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{1});
  }
  /// By the default one, then by another.
  void readByTwoModels() {
    start();
    readOne();
    session_->setEngine(otherModel());
    setReading(readFor(), Session::Reading::InBackground);
    QTRY_COMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }
  QString stateOf(int row) const {
    const auto& rows = session_->rows();
    return row < static_cast<int>(rows.size()) ? describeState(rows[static_cast<std::size_t>(row)]) : QString();
  }
  QString keyOf(int row) const { return session_->rows()[static_cast<std::size_t>(row)].key; }
  QByteArray longText() const {
    QByteArray text = "The harpoon hit the whale at noon.\n\n";
    while (text.size() < 8000) text += "Nothing else of note happened on that long day. ";
    return text;
  }

 private Q_SLOTS:
  void init() {
    fakeEngine() = {};
    folder_ = std::make_unique<QTemporaryDir>();
  }
  void cleanup() { session_.reset(); }

  void importsAndReadsInTheBackground() {
    start();
    QSignalSpy imported(session_.get(), &Session::imported);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen."),
                        write(QStringLiteral("two.md"), "# Two\n\nNo whale.")});
    QTRY_COMPARE(imported.size(), 2);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QTRY_COMPARE(stateOf(1), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().loads, 1);
  }

  /// What was read for one method is ready for another that reads alike, and for no other.
  void countsWhatWasReadForAMethodThatReadsAlike() {
    AskSettings retrolm, reread;
    retrolm.method = "retrolm";
    reread.method = "reread";
    start(Session::Reading::InBackground, retrolm);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    start(Session::Reading::WhenAsked, reread);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
    start(Session::Reading::WhenAsked, readFor());
    QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
  }

  void readsAnewForAnotherBudget() {
    start();
    readOne();
    setReading(readFor("infllm", 512), Session::Reading::WhenAsked);
    QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
    setReading(readFor("infllm", 512), Session::Reading::InBackground);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
  }

  void findsAgainWhatWasReadWithTheFormerBudget() {
    start();
    readOne();
    setReading(readFor("infllm", 512), Session::Reading::InBackground);
    QTRY_COMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    setReading(readFor(), Session::Reading::InBackground);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
    QTest::qWait(300);
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
  }

  void namesTheDeviceItComputesOn() {
    fakeEngine().device = "Fake card";
    start();
    QSignalSpy loaded(session_.get(), &Session::engineLoaded);
    readOne();
    QCOMPARE(loaded.size(), 1);
    QCOMPARE(loaded.first().first().toString(), QStringLiteral("Fake · Fake card"));
  }

  /// A method that sees the whole document reads alike with any budget.
  void staysReadWhereTheBudgetChangesNothing() {
    start(Session::Reading::InBackground, readFor("full"));
    readOne();
    setReading(readFor("full", 512), Session::Reading::WhenAsked);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  void readsAnewForAnotherModel() { readByTwoModels(); }

  void findsAgainWhatWasReadByTheFormerModel() {
    readByTwoModels();
    session_->setEngine({});
    setReading(readFor(), Session::Reading::InBackground);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
    QTest::qWait(300);
    QCOMPARE(fakeEngine().loads, 3);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
  }

  /// Nothing is loaded only to know what serves; once the model is there, all rows tell.
  void tellsWhatServesOnceTheEngineIsThere() {
    start();
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen."),
                        write(QStringLiteral("two.txt"), "The steersman saw it from the stern.")});
    QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
    start(Session::Reading::InBackground, readFor("infllm", 512));
    QCOMPARE(stateOf(1), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().loads, 1);
    QSignalSpy answered(session_.get(), &Session::answered);
    session_->ask({keyOf(0)}, QStringLiteral("What whale?"), readFor("infllm", 512), Extent::AnyChunk);
    QTRY_COMPARE(answered.size(), 1);
    QTRY_COMPARE(openLibrary().readings(keyOf(1).toStdString()).size(), std::size_t{2});
    QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
  }

  void leavesAStoppedDocumentStoppedWhenTheEngineIsLoaded() {
    start();
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen."),
                        write(QStringLiteral("two.txt"), "The steersman saw it from the stern.")});
    QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
    QTRY_COMPARE(session_->rows()[1].readingBytes, qint64{1000});
    session_->unread(keyOf(1));
    QTRY_COMPARE(session_->rows()[1].readingBytes, qint64{0});
    session_->setEngine({});
    QSignalSpy answered(session_.get(), &Session::answered), idle(session_.get(), &Session::idle);
    session_->ask({keyOf(0)}, QStringLiteral("What was seen?"), readFor());
    QTRY_COMPARE(answered.size(), 1);
    QCOMPARE(fakeEngine().loads, 2);
    QTRY_VERIFY(!idle.isEmpty());
    QVERIFY2(stateOf(1).startsWith(QLatin1String("Stopped")), qPrintable(stateOf(1)));
  }

  void tellsThatABudgetIsRefused() {
    fakeEngine().trainedTokens = 1024;
    start(Session::Reading::InBackground, readFor("streaming", 512));
    readOne();
    setReading(readFor("streaming", 1025), Session::Reading::WhenAsked);
    QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
    setReading(readFor("streaming", 1025), Session::Reading::InBackground);
    QTRY_VERIFY2(stateOf(0).contains(QLatin1String("1025 is more than the 1024 tokens")),
                 qPrintable(stateOf(0)));
    setReading(readFor("streaming", 512), Session::Reading::InBackground);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{1});
  }

  void loadsNoEngineBeforeItIsNeeded() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), opened(session_.get(), &Session::opened);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(imported.size(), 1);
    session_->open(keyOf(0));
    QTRY_COMPARE(opened.size(), 1);
    QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
    QCOMPARE(fakeEngine().loads, 0);
  }

  void addsTheDocumentsOfAFolder() {
    start();
    QVERIFY(QDir(folder_->path()).mkpath(QStringLiteral("books/more")));
    write(QStringLiteral("books/one.txt"), "One whale.");
    write(QStringLiteral("books/more/two.txt"), "Two whales.");
    write(QStringLiteral("books/more/three.zip"), "Not a document.");
    session_->addFiles({folder_->filePath(QStringLiteral("books"))});
    QTRY_COMPARE(session_->rows().size(), 2U);
  }

  void tellsWhyAFileFailedAndTriesAgain() {
    start();
    const QString file = write(QStringLiteral("empty.txt"), "");
    session_->addFiles({file});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Failed: ")));
    write(QStringLiteral("empty.txt"), "Now it has a whale.");
    session_->tryAgain(keyOf(0));
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  /// What is opened meanwhile does not wait for the folder, and what is left out of it is told.
  void tellsWhenAFolderHasMoreDocumentsThanAreAdded() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), told(session_.get(), &Session::told);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(imported.size(), 1);
    QVERIFY(QDir(folder_->path()).mkpath(QStringLiteral("many")));
    for (int i = 0; i <= 10'000; ++i) write(QStringLiteral("many/%1.txt").arg(i), "");
    std::size_t rowsWhenOpened = 0;
    connect(session_.get(), &Session::opened, this, [&] { rowsWhenOpened = session_->rows().size(); });
    session_->addFiles({folder_->filePath(QStringLiteral("many"))});
    session_->open(keyOf(0));
    QTRY_COMPARE_WITH_TIMEOUT(told.size(), 1, 60000);
    QVERIFY2(told[0][0].toString().startsWith(QLatin1String("Only the first 10,000 documents were added")),
             qPrintable(told[0][0].toString()));
    QCOMPARE(rowsWhenOpened, 1U);
    QCOMPARE(session_->rows().size(), 10'001U);
  }

  /// A file that was only touched is as good as before.
  void saysThatAFileHasChangedSinceItWasRead() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), opened(session_.get(), &Session::opened);
    const auto complaint = [&] {
      return qvariant_cast<std::shared_ptr<const Opened>>(opened.last()[0])->complaint;
    };
    const QString path = write(QStringLiteral("report.txt"), "A whale was seen.");
    session_->addFiles({path});
    QTRY_COMPARE(imported.size(), 1);
    session_->open(keyOf(0));
    QTRY_COMPARE(opened.size(), 1);
    QCOMPARE(complaint(), QString());
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.setFileTime(QDateTime::currentDateTime().addDays(-1), QFileDevice::FileModificationTime));
    file.close();
    session_->open(keyOf(0));
    QTRY_COMPARE(opened.size(), 2);
    QCOMPARE(complaint(), QString());
    write(QStringLiteral("report.txt"), "No whale was seen after all.");
    session_->open(keyOf(0));
    QTRY_COMPARE(opened.size(), 3);
    QVERIFY2(complaint().startsWith(QLatin1String("report.txt has changed since it was read")),
             qPrintable(complaint()));
    // Added again it is another document, whose file it is.
    session_->addFiles({path});
    QTRY_COMPARE(imported.size(), 2);
    session_->open(imported[1][1].toString());
    QTRY_COMPARE(opened.size(), 4);
    QCOMPARE(complaint(), QString());
  }

  void countsNothingAsReadThatAnotherMethodRead() {
    AskSettings other;
    other.method = "retrolm";
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), answered(session_.get(), &Session::answered);
    QSignalSpy idle(session_.get(), &Session::idle);
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_COMPARE(imported.size(), 1);
    idle.clear();
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), other);
    QTRY_COMPARE(answered.size(), 1);
    QTRY_VERIFY(!idle.isEmpty());
    QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), readFor());
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    // Nor is what was read forgotten for a question by another.
    other.method = "whitened";
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), other);
    QTRY_COMPARE(answered.size(), 3);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  void countsAllDocumentsAsReadThatAQuestionHadRead() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported);
    session_->addFiles({write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."),
                        write(QStringLiteral("two.txt"), "The steersman saw it all from the stern.")});
    QTRY_COMPARE(imported.size(), 2);
    session_->ask({keyOf(0), keyOf(1)}, QStringLiteral("harpoon and steersman?"), readFor());
    QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
  }

  void leavesAStoppedDocumentStoppedAfterAQuestion() {
    start();
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")) && session_->rows()[0].share > 0);
    session_->stopWork(keyOf(0));
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Stopped")));
    QSignalSpy answered(session_.get(), &Session::answered), idle(session_.get(), &Session::idle);
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), readFor(), Extent::AnyChunk);
    QTRY_COMPARE(answered.size(), 1);
    QTRY_VERIFY(!idle.isEmpty());
    QVERIFY2(stateOf(0).startsWith(QLatin1String("Stopped")), qPrintable(stateOf(0)));
  }

  void answersWhileAnotherDocumentIsRead() {
    start();
    session_->addFiles({write(QStringLiteral("short.txt"), "The whale is white.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(1).startsWith(QLatin1String("Reading")));
    QSignalSpy answered(session_.get(), &Session::answered);
    session_->ask({keyOf(0)}, QStringLiteral("What colour has the whale?"), readFor());
    QTRY_COMPARE_WITH_TIMEOUT(answered.size(), 1, 2000);
    QVERIFY(!stateOf(1).startsWith(QLatin1String("Ready")));
    fakeEngine().onChunk = {};
    QTRY_COMPARE(stateOf(1), QStringLiteral("Ready"));
    // Read on from where it stood, not again from the start.
    int chunks = 0;
    for (const int read : fakeEngine().chunksRead) chunks += read;
    QCOMPARE(chunks, 1 + static_cast<int>((longText().trimmed().size() + 39) / 40));
  }

  void answersFromAHalfReadDocumentAndReadsOn() {
    start();
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")) && session_->rows()[0].share > 0);
    QSignalSpy answered(session_.get(), &Session::answered);
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), readFor(), Extent::AnyChunk);
    QTRY_COMPARE_WITH_TIMEOUT(answered.size(), 1, 2000);
    const auto answer = qvariant_cast<std::shared_ptr<const Answered>>(answered[0][1]);
    QVERIFY(answer->exchange->answer.contains(QLatin1String("harpoon")));
    QVERIFY(shareRead(*answer->exchange) > 0 && shareRead(*answer->exchange) < 1);
    QCOMPARE(answer->exchange->chunks.size(), static_cast<std::size_t>(fakeEngine().chunksAsked[0]));
    QVERIFY(answer->exchange->maps->firstTokens.size() == answer->exchange->chunks.size() + 1);
    fakeEngine().onChunk = {};
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    // Read on from where it stood.
    int chunks = 0;
    for (const int read : fakeEngine().chunksRead) chunks += read;
    QCOMPARE(chunks, static_cast<int>((longText().trimmed().size() + 39) / 40));
  }

  void readsTheFirstStepOfADocumentThatIsAskedAtOnce() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), answered(session_.get(), &Session::answered);
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_COMPARE(imported.size(), 1);
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), readFor(), Extent::AnyChunk);
    QTRY_COMPARE(answered.size(), 1);
    QVERIFY(fakeEngine().chunksAsked[0] > 0);
    QVERIFY(fakeEngine().chunksAsked[0] < 10);
    QVERIFY(stateOf(0).startsWith(QLatin1String("Waiting")));
  }

  void asksSeveralDocumentsAsOne() {
    start();
    session_->addFiles({write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."),
                        write(QStringLiteral("two.txt"), "The steersman saw it all from the stern.")});
    QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
    QSignalSpy answered(session_.get(), &Session::answered);
    session_->ask({keyOf(0), keyOf(1)}, QStringLiteral("harpoon and steersman?"), readFor());
    QTRY_COMPARE(answered.size(), 1);
    QCOMPARE(fakeEngine().documentsAsked, std::vector<int>{2});
    const auto exchange = qvariant_cast<std::shared_ptr<const Answered>>(answered[0][1])->exchange;
    QCOMPARE(documentsOf(*exchange), (QStringList{keyOf(0), keyOf(1)}));
    QStringList found;
    for (const EvidenceRow& row : exchange->evidence) found << row.document + QLatin1Char(' ') + row.title;
    QCOMPARE(found, (QStringList{keyOf(0) + QStringLiteral(" one"), keyOf(1) + QStringLiteral(" two")}));
    QCOMPARE(documentOf(*exchange, exchange->chunks.size() - 1), keyOf(1));
  }

  void readsTheDocumentBeforeItAnswers() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported), answered(session_.get(), &Session::answered);
    QSignalSpy progressed(session_.get(), &Session::questionProgressed);
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_COMPARE(imported.size(), 1);
    session_->ask({keyOf(0)}, QStringLiteral("What did the harpoon do?"), readFor());
    QTRY_COMPARE(answered.size(), 1);
    QVERIFY(progressed.size() >= 2);
    const auto answer = qvariant_cast<std::shared_ptr<const Answered>>(answered[0][1]);
    QVERIFY(answer->exchange->answer.contains(QLatin1String("harpoon")));
    QCOMPARE(answer->exchange->evidence[0].rank, 1);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  void stopsWithin200MillisecondsWhileReading() {
    start();
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")));
    QElapsedTimer timer;
    timer.start();
    session_->stopWork(keyOf(0));
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Stopped")));
    QVERIFY2(timer.elapsed() < 200, qPrintable(QString::number(timer.elapsed())));
    session_->tryAgain(keyOf(0));
    fakeEngine().onChunk = {};
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  void stopsWithin200MillisecondsWhileAnswering() {
    start();
    session_->addFiles(
        {write(QStringLiteral("short.txt"), "The whale is white, and so is the foam on the sea.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    fakeEngine().onAnswerWord = [] { workFor(50); };
    QSignalSpy grew(session_.get(), &Session::answerGrew), stopped(session_.get(), &Session::questionStopped);
    const quint64 question = session_->ask({keyOf(0)}, QStringLiteral("What colour has the whale?"), readFor());
    QTRY_VERIFY(grew.size() > 0);
    QElapsedTimer timer;
    timer.start();
    session_->stopQuestion(question);
    QTRY_COMPARE(stopped.size(), 1);
    QVERIFY2(timer.elapsed() < 200, qPrintable(QString::number(timer.elapsed())));
  }

  void tellsWhyAnAnswerFailed() {
    start(Session::Reading::WhenAsked);
    fakeEngine().refusal = "There is no CUDA device.";
    EngineJob job;
    job.settings.device = Device::Cuda;
    session_->setEngine(job);
    QSignalSpy imported(session_.get(), &Session::imported), failed(session_.get(), &Session::questionFailed);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(imported.size(), 1);
    session_->ask({keyOf(0)}, QStringLiteral("What was seen?"), readFor());
    QTRY_COMPARE(failed.size(), 1);
    QCOMPARE(failed[0][1].toString(), QStringLiteral("There is no CUDA device."));
  }

  /// The document stays, and is read again only when that is wished for.
  void forgetsWhatWasRead() {
    start();
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QTRY_COMPARE(session_->rows()[0].readingBytes, qint64{1000});
    const QDir readings(folder_->filePath(QStringLiteral("library/readings")));
    QCOMPARE(readings.entryList({QStringLiteral("*.kv")}).size(), 1);
    session_->unread(keyOf(0));
    QTRY_COMPARE(session_->rows()[0].readingBytes, qint64{0});
    QVERIFY2(stateOf(0).startsWith(QLatin1String("Stopped")), qPrintable(stateOf(0)));
    QCOMPARE(readings.entryList({QStringLiteral("*.kv")}).size(), 0);
    session_->tryAgain(keyOf(0));
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
  }

  /// What could be forgotten is gone and read again only when that is wished for; the rest is as it was.
  void forgetsWhatAnotherDoesNotRead() {
    AskSettings other;
    other.method = "retrolm";
    start();
    QSignalSpy answered(session_.get(), &Session::answered), told(session_.get(), &Session::told);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    session_->ask({keyOf(0)}, QStringLiteral("What was seen?"), other);
    QTRY_COMPARE(answered.size(), 1);
    QTRY_COMPARE(session_->rows()[0].readingBytes, qint64{2000});
    {
      const Library library = openLibrary();
      const FileLock lock = library.lockReading(keyOf(0).toStdString(), readingKey("retrolm"));
      session_->unread(keyOf(0));
      QTRY_COMPARE(told.size(), 1);
      QTRY_COMPARE(session_->rows()[0].readingBytes, qint64{1000});
      QVERIFY2(stateOf(0).startsWith(QLatin1String("Stopped")), qPrintable(stateOf(0)));
      QCOMPARE(session_->rows()[0].share, 0.0);
    }
    session_->tryAgain(keyOf(0));
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    {
      const Library library = openLibrary();
      const FileLock lock = library.lockReading(keyOf(0).toStdString(), readingKey("infllm"));
      session_->unread(keyOf(0));
      QTRY_COMPARE(told.size(), 2);
      QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    }
    QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{3});
  }

  void readsOnceWhatTheLibraryDoesNotKnowToBeWhole() {
    start();
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QTRY_COMPARE(session_->rows()[0].readingBytes, qint64{1000});
    session_.reset();
    {
      Library library = openLibrary();
      ReadingRecord reading = library.readings(library.list().front().id).front();
      reading.complete = false;
      library.recordReading(reading);
    }
    start();
    QSignalSpy ended(session_.get(), &Session::readingEnded);
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QTest::qWait(300);
    QCOMPARE(ended.size(), 1);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
    // From then on it does.
    start(Session::Reading::WhenAsked);
    QCOMPARE(stateOf(0), QStringLiteral("Ready"));
  }

  void removesDocumentsWhileTheyAreRead() {
    start();
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")));
    QSignalSpy removed(session_.get(), &Session::removed);
    session_->remove(keyOf(0));
    QTRY_COMPARE(removed.size(), 1);
    QVERIFY(session_->rows().empty());
  }

  void endsAtOnceWhileItReadsAndGoesOnAtTheNextStart() {
    start();
    fakeEngine().onChunk = [](int) { workFor(20); };
    session_->addFiles({write(QStringLiteral("long.txt"), longText())});
    QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")));
    QTRY_VERIFY(session_->rows()[0].share > 0);
    QElapsedTimer timer;
    timer.start();
    session_.reset();
    QVERIFY2(timer.elapsed() < 500, qPrintable(QString::number(timer.elapsed())));
    fakeEngine().onChunk = {};
    start();
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
    QVERIFY(fakeEngine().chunksRead.back() < static_cast<int>(longText().size() / 40));
  }

  void keepsWhatIsToBeKeptWhenItEnds() {
    start(Session::Reading::WhenAsked);
    QSignalSpy imported(session_.get(), &Session::imported);
    session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
    QTRY_COMPARE(imported.size(), 1);
    const QString id = keyOf(0);
    auto exchange = std::make_shared<Exchange>();
    exchange->number = 1;
    exchange->document = id;
    exchange->answer = QStringLiteral("A whale.");
    session_->keep(exchange);
    session_.reset();
    start(Session::Reading::WhenAsked);
    QSignalSpy opened(session_.get(), &Session::opened);
    session_->open(id);
    QTRY_COMPARE(opened.size(), 1);
    const auto document = qvariant_cast<std::shared_ptr<const Opened>>(opened[0][0]);
    QCOMPARE(document->conversation.size(), 1U);
    QCOMPARE(document->conversation[0]->answer, QStringLiteral("A whale."));
  }
};

QTEST_MAIN(SessionTest)
#include "session_test.moc"
