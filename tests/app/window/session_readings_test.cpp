// What of the readings that are there serves a document, and when one is made.
#include "tests/app/window/session_test.h"

using namespace kvasir;

/// What was read for one method is ready for another that reads alike, and for no other.
void SessionTest::countsWhatWasReadForAMethodThatReadsAlike() {
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

void SessionTest::readsAnewForAnotherBudget() {
  start();
  readOne();
  setReading(readFor("infllm", 512), Session::Reading::WhenAsked);
  QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
  setReading(readFor("infllm", 512), Session::Reading::InBackground);
  QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{2});
}

void SessionTest::findsAgainWhatWasReadWithTheFormerBudget() {
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

/// A method that sees the whole document reads alike with any budget.
void SessionTest::staysReadWhereTheBudgetChangesNothing() {
  start(Session::Reading::InBackground, readFor("full"));
  readOne();
  setReading(readFor("full", 512), Session::Reading::WhenAsked);
  QCOMPARE(stateOf(0), QStringLiteral("Ready"));
}

void SessionTest::readsAnewForAnotherModel() { readByTwoModels(); }

void SessionTest::findsAgainWhatWasReadByTheFormerModel() {
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
void SessionTest::tellsWhatServesOnceTheEngineIsThere() {
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

void SessionTest::leavesAStoppedDocumentStoppedWhenTheEngineIsLoaded() {
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

void SessionTest::tellsThatABudgetIsRefused() {
  fakeEngine().trainedTokens = 1024;
  start(Session::Reading::InBackground, readFor("streaming", 512));
  readOne();
  setReading(readFor("streaming", 1025), Session::Reading::WhenAsked);
  QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
  setReading(readFor("streaming", 1025), Session::Reading::InBackground);
  QTRY_VERIFY2(stateOf(0).contains(QLatin1String("1025 is more than the 1024 tokens")), qPrintable(stateOf(0)));
  setReading(readFor("streaming", 512), Session::Reading::InBackground);
  QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  QCOMPARE(fakeEngine().chunksRead.size(), std::size_t{1});
}

void SessionTest::countsNothingAsReadThatAnotherMethodRead() {
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

void SessionTest::countsAllDocumentsAsReadThatAQuestionHadRead() {
  start(Session::Reading::WhenAsked);
  QSignalSpy imported(session_.get(), &Session::imported);
  session_->addFiles({write(QStringLiteral("one.txt"), "The harpoon hit the whale at noon."),
                      write(QStringLiteral("two.txt"), "The steersman saw it all from the stern.")});
  QTRY_COMPARE(imported.size(), 2);
  session_->ask({keyOf(0), keyOf(1)}, QStringLiteral("harpoon and steersman?"), readFor());
  QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
}

void SessionTest::leavesAStoppedDocumentStoppedAfterAQuestion() {
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

/// The document stays, and is read again only when that is wished for.
void SessionTest::forgetsWhatWasRead() {
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
void SessionTest::forgetsWhatAnotherDoesNotRead() {
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

void SessionTest::readsOnceWhatTheLibraryDoesNotKnowToBeWhole() {
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
