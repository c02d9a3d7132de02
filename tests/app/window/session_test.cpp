#include <QDateTime>
#include <QFile>

#include "tests/app/window/session_test.h"

using namespace kvasir;

void SessionTest::importsAndReadsInTheBackground() {
  start();
  QSignalSpy imported(session_.get(), &Session::imported);
  session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen."),
                      write(QStringLiteral("two.md"), "# Two\n\nNo whale.")});
  QTRY_COMPARE(imported.size(), 2);
  QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
  QTRY_COMPARE(stateOf(1), QStringLiteral("Ready"));
  QCOMPARE(fakeEngine().loads, 1);
}

void SessionTest::namesTheDeviceItComputesOn() {
  fakeEngine().device = "Fake card";
  start();
  QSignalSpy loaded(session_.get(), &Session::engineLoaded);
  readOne();
  QCOMPARE(loaded.size(), 1);
  QCOMPARE(loaded.first().first().toString(), QStringLiteral("Fake · Fake card"));
}

void SessionTest::loadsNoEngineBeforeItIsNeeded() {
  start(Session::Reading::WhenAsked);
  QSignalSpy imported(session_.get(), &Session::imported), opened(session_.get(), &Session::opened);
  session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
  QTRY_COMPARE(imported.size(), 1);
  session_->open(keyOf(0));
  QTRY_COMPARE(opened.size(), 1);
  QCOMPARE(stateOf(0), QStringLiteral("Waiting to be read"));
  QCOMPARE(fakeEngine().loads, 0);
}

void SessionTest::addsTheDocumentsOfAFolder() {
  start();
  QVERIFY(QDir(folder_->path()).mkpath(QStringLiteral("books/more")));
  write(QStringLiteral("books/one.txt"), "One whale.");
  write(QStringLiteral("books/more/two.txt"), "Two whales.");
  write(QStringLiteral("books/more/three.zip"), "Not a document.");
  session_->addFiles({folder_->filePath(QStringLiteral("books"))});
  QTRY_COMPARE(session_->rows().size(), 2U);
}

void SessionTest::tellsWhyAFileFailedAndTriesAgain() {
  start();
  const QString file = write(QStringLiteral("empty.txt"), "");
  session_->addFiles({file});
  QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Failed: ")));
  write(QStringLiteral("empty.txt"), "Now it has a whale.");
  session_->tryAgain(keyOf(0));
  QTRY_COMPARE(stateOf(0), QStringLiteral("Ready"));
}

/// What is opened meanwhile does not wait for the folder, and what is left out of it is told.
void SessionTest::tellsWhenAFolderHasMoreDocumentsThanAreAdded() {
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
void SessionTest::saysThatAFileHasChangedSinceItWasRead() {
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

void SessionTest::answersWhileAnotherDocumentIsRead() {
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
  QCOMPARE(chunksRead(), 1 + chunksIn(longText()));
}

void SessionTest::importsWhileAnotherDocumentIsRead() {
  start();
  fakeEngine().onChunk = [](int) { workFor(20); };
  session_->addFiles({write(QStringLiteral("long.txt"), longText())});
  QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")) && session_->rows()[0].share > 0.05);
  QSignalSpy imported(session_.get(), &Session::imported), ended(session_.get(), &Session::readingEnded);
  bool hasWaited = false;
  connect(session_.get(), &Session::rowsChanged, this,
          [&] { hasWaited = hasWaited || stateOf(0).startsWith(QLatin1String("Waiting")); });
  session_->addFiles({write(QStringLiteral("short.txt"), "The whale is white.")});
  QTRY_COMPARE(imported.size(), 1);
  QVERIFY2(stateOf(0).startsWith(QLatin1String("Reading")), qPrintable(stateOf(0)));
  QCOMPARE(stateOf(1), QStringLiteral("Waiting to be read"));
  fakeEngine().onChunk = {};
  QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
  QVERIFY(!hasWaited);
  QTRY_COMPARE(ended.size(), 1);
}

void SessionTest::answersFromAHalfReadDocumentAndReadsOn() {
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
  QCOMPARE(chunksRead(), chunksIn(longText()));
}

void SessionTest::readsWhatIsShownBeforeTheOthers() {
  start();
  fakeEngine().onChunk = [](int) { workFor(20); };
  QSignalSpy imported(session_.get(), &Session::imported);
  session_->addFiles({write(QStringLiteral("one.txt"), longText()),
                      write(QStringLiteral("two.txt"), longText() + "2"),
                      write(QStringLiteral("three.txt"), longText() + "3")});
  const auto isReading = [&](int row) { return stateOf(row).startsWith(QLatin1String("Reading")); };
  QTRY_VERIFY(imported.size() == 3 && isReading(0));
  session_->open(keyOf(2));
  QTRY_VERIFY(isReading(2));
  QVERIFY(!isReading(0));
  session_->open(keyOf(1));
  QTRY_VERIFY(isReading(1));
  QVERIFY(!isReading(2));
  // A question of another does not change what is looked at.
  QSignalSpy answered(session_.get(), &Session::answered);
  session_->ask({keyOf(2)}, QStringLiteral("What did the harpoon do?"), readFor(), Extent::AnyChunk);
  QTRY_COMPARE(answered.size(), 1);
  QStringList ready;
  connect(session_.get(), &Session::rowsChanged, this, [&] {
    for (int row = 0; row < 3; ++row) {
      if (stateOf(row) == QLatin1String("Ready") && !ready.contains(keyOf(row))) ready << keyOf(row);
    }
  });
  fakeEngine().onChunk = {};
  QTRY_COMPARE(ready.size(), 3);
  QCOMPARE(ready.first(), keyOf(1));
  // None was begun anew.
  QCOMPARE(chunksRead(), chunksIn(longText()) + chunksIn(longText() + "2") + chunksIn(longText() + "3"));
}

void SessionTest::endsAReadingThatWouldBeginAnewBeforeWhatIsShown() {
  start(Session::Reading::InBackground, readFor("h2o"));
  fakeEngine().onChunk = [](int) { workFor(10); };
  QSignalSpy imported(session_.get(), &Session::imported);
  session_->addFiles({write(QStringLiteral("one.txt"), longText()),
                      write(QStringLiteral("two.txt"), longText() + "2"),
                      write(QStringLiteral("three.txt"), longText() + "3")});
  QTRY_VERIFY(imported.size() == 3 && stateOf(0).startsWith(QLatin1String("Reading")));
  session_->open(keyOf(2));
  QStringList ready;
  connect(session_.get(), &Session::rowsChanged, this, [&] {
    for (int row = 0; row < 3; ++row) {
      if (stateOf(row) == QLatin1String("Ready") && !ready.contains(keyOf(row))) ready << keyOf(row);
    }
  });
  QTest::qWait(200);
  QVERIFY(stateOf(0).startsWith(QLatin1String("Reading")));
  fakeEngine().onChunk = {};
  QTRY_COMPARE(ready.size(), 3);
  QCOMPARE(ready, (QStringList{keyOf(0), keyOf(2), keyOf(1)}));
}

/// A removal that waits behind an answer is done, and conversations go with the document.
void SessionTest::removesWhatWasToBeRemovedWhenItEnds() {
  start();
  session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen."),
                      write(QStringLiteral("two.txt"), "The steersman saw it from the stern.")});
  QTRY_VERIFY(stateOf(0) == QLatin1String("Ready") && stateOf(1) == QLatin1String("Ready"));
  const QString removed = keyOf(1);
  keepAnswer(removed);
  fakeEngine().onAnswerWord = [] { workFor(50); };
  QSignalSpy grew(session_.get(), &Session::answerGrew);
  session_->ask({keyOf(0)}, QStringLiteral("What was seen?"), readFor());
  QTRY_VERIFY(!grew.isEmpty());
  session_->remove(removed);
  session_.reset();
  fakeEngine().onAnswerWord = {};
  start(Session::Reading::WhenAsked);
  QCOMPARE(session_->rows().size(), std::size_t{1});
  QVERIFY(session_->rows()[0].key != removed);
  Conversations kept(pathOf(folder_->filePath(QStringLiteral("library/conversations.sqlite")).toStdString()));
  QVERIFY(kept.of(removed.toStdString()).empty());
}

void SessionTest::readsTheFirstStepOfADocumentThatIsAskedAtOnce() {
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

void SessionTest::asksSeveralDocumentsAsOne() {
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

void SessionTest::readsTheDocumentBeforeItAnswers() {
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

void SessionTest::stopsWithin200MillisecondsWhileReading() {
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

void SessionTest::stopsWithin200MillisecondsWhileAnswering() {
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

void SessionTest::tellsWhyAnAnswerFailed() {
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

void SessionTest::removesDocumentsWhileTheyAreRead() {
  start();
  fakeEngine().onChunk = [](int) { workFor(20); };
  session_->addFiles({write(QStringLiteral("long.txt"), longText())});
  QTRY_VERIFY(stateOf(0).startsWith(QLatin1String("Reading")));
  QSignalSpy removed(session_.get(), &Session::removed);
  session_->remove(keyOf(0));
  QTRY_COMPARE(removed.size(), 1);
  QVERIFY(session_->rows().empty());
}

void SessionTest::endsAtOnceWhileItReadsAndGoesOnAtTheNextStart() {
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

void SessionTest::keepsWhatIsToBeKeptWhenItEnds() {
  start(Session::Reading::WhenAsked);
  QSignalSpy imported(session_.get(), &Session::imported);
  session_->addFiles({write(QStringLiteral("one.txt"), "A whale was seen.")});
  QTRY_COMPARE(imported.size(), 1);
  const QString id = keyOf(0);
  keepAnswer(id);
  session_.reset();
  start(Session::Reading::WhenAsked);
  QSignalSpy opened(session_.get(), &Session::opened);
  session_->open(id);
  QTRY_COMPARE(opened.size(), 1);
  const auto document = qvariant_cast<std::shared_ptr<const Opened>>(opened[0][0]);
  QCOMPARE(document->conversation.size(), 1U);
  QCOMPARE(document->conversation[0]->answer, QStringLiteral("A whale."));
}

QTEST_MAIN(SessionTest)
