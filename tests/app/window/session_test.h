#pragma once

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <numeric>

#include "app/text.h"
#include "app/window/conversations.h"
#include "app/window/session.h"
#include "tests/app/fake_engine.h"

/// The session over the stand-in for the engine. One object, its tests by subject in two files.
class SessionTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  std::unique_ptr<kvasir::Session> session_;

  /// Work of the engine, not waiting: the thread is busy for so long.
  static void workFor(int milliseconds) {
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < milliseconds) {
    }
  }
  static kvasir::AskSettings readFor(const std::string& method = "infllm", int budgetTokens = 2048) {
    kvasir::AskSettings settings;
    settings.method = method;
    settings.budgetTokens = budgetTokens;
    return settings;
  }
  QString write(const QString& name, const QByteArray& text) const {
    QFile file(folder_->filePath(name));
    if (file.open(QIODevice::WriteOnly)) file.write(text);
    return file.fileName();
  }
  void start(kvasir::Session::Reading reading = kvasir::Session::Reading::InBackground,
             const kvasir::AskSettings& settings = readFor()) {
    session_ = std::make_unique<kvasir::Session>(
        kvasir::pathOf(folder_->filePath(QStringLiteral("library")).toStdString()));
    QSignalSpy listed(session_.get(), &kvasir::Session::listed);
    session_->start(settings, reading);
    QVERIFY(listed.wait());
  }
  kvasir::Library openLibrary() const {
    return kvasir::Library(kvasir::pathOf(folder_->filePath(QStringLiteral("library")).toStdString()));
  }
  /// Of what was read of the first document by the method.
  std::string readingKey(const std::string& method) const {
    for (const kvasir::ReadingRecord& reading : openLibrary().readings(keyOf(0).toStdString()))
      if (reading.method == method) return reading.key;
    return {};
  }
  /// As from the settings.
  void setReading(const kvasir::AskSettings& settings, kvasir::Session::Reading reading) {
    QSignalSpy listed(session_.get(), &kvasir::Session::listed);
    session_->setReading(settings, reading);
    QVERIFY(listed.wait());
  }
  kvasir::EngineJob otherModel() const {
    kvasir::EngineJob job;
    job.settings.model = kvasir::pathOf(write(QStringLiteral("other.gguf"), "GGUF").toStdString());
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
    setReading(readFor(), kvasir::Session::Reading::InBackground);
    QTRY_COMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
    QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  }
  QString stateOf(int row) const {
    const auto& rows = session_->rows();
    return row < static_cast<int>(rows.size()) ? kvasir::describeState(rows[static_cast<std::size_t>(row)])
                                               : QString();
  }
  QString keyOf(int row) const { return session_->rows()[static_cast<std::size_t>(row)].key; }
  /// "A whale.", as said of the document.
  void keepAnswer(const QString& document) {
    auto exchange = std::make_shared<kvasir::Exchange>();
    exchange->number = 1;
    exchange->document = document;
    exchange->answer = QStringLiteral("A whale.");
    session_->keep(exchange);
  }
  /// As the stand-in counts them.
  static int chunksIn(const QByteArray& text) { return static_cast<int>((text.trimmed().size() + 39) / 40); }
  static int chunksRead() {
    return std::accumulate(fakeEngine().chunksRead.begin(), fakeEngine().chunksRead.end(), 0);
  }
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

  // session_test.cpp
  void importsAndReadsInTheBackground();
  void namesTheDeviceItComputesOn();
  void loadsNoEngineBeforeItIsNeeded();
  void addsTheDocumentsOfAFolder();
  void tellsWhyAFileFailedAndTriesAgain();
  void tellsWhenAFolderHasMoreDocumentsThanAreAdded();
  void saysThatAFileHasChangedSinceItWasRead();
  void answersWhileAnotherDocumentIsRead();
  void importsWhileAnotherDocumentIsRead();
  void answersFromAHalfReadDocumentAndReadsOn();
  void readsWhatIsShownBeforeTheOthers();
  void endsAReadingThatWouldBeginAnewBeforeWhatIsShown();
  void removesWhatWasToBeRemovedWhenItEnds();
  void readsTheFirstStepOfADocumentThatIsAskedAtOnce();
  void asksSeveralDocumentsAsOne();
  void readsTheDocumentBeforeItAnswers();
  void stopsWithin200MillisecondsWhileReading();
  void stopsWithin200MillisecondsWhileAnswering();
  void tellsWhyAnAnswerFailed();
  void removesDocumentsWhileTheyAreRead();
  void endsAtOnceWhileItReadsAndGoesOnAtTheNextStart();
  void keepsWhatIsToBeKeptWhenItEnds();

  // session_readings_test.cpp
  void countsWhatWasReadForAMethodThatReadsAlike();
  void readsAnewForAnotherBudget();
  void findsAgainWhatWasReadWithTheFormerBudget();
  void staysReadWhereTheBudgetChangesNothing();
  void readsAnewForAnotherModel();
  void findsAgainWhatWasReadByTheFormerModel();
  void tellsWhatServesOnceTheEngineIsThere();
  void leavesAStoppedDocumentStoppedWhenTheEngineIsLoaded();
  void tellsThatABudgetIsRefused();
  void countsNothingAsReadThatAnotherMethodRead();
  void countsAllDocumentsAsReadThatAQuestionHadRead();
  void leavesAStoppedDocumentStoppedAfterAQuestion();
  void forgetsWhatWasRead();
  void forgetsWhatAnotherDoesNotRead();
  void readsOnceWhatTheLibraryDoesNotKnowToBeWhole();
};
