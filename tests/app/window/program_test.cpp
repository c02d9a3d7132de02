#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include "app/text.h"
#include "app/window/conversations.h"

using namespace kvasir;

/// The program itself, over the stand-in for the engine: what main() connects, seen from outside.
class ProgramTest : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  std::vector<std::unique_ptr<QProcess>> running_;

  QString path(const QString& name) const { return folder_->filePath(name); }

  QProcess& run(const QStringList& arguments) {
    running_.push_back(std::make_unique<QProcess>());
    QProcess& process = *running_.back();
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.setWorkingDirectory(folder_->path());
    process.start(QStringLiteral(KVASIR_PROGRAM),
                  QStringList{QStringLiteral("--data-dir"), path(QStringLiteral("data"))} + arguments);
    return process;
  }

  QString write(const QString& name, const QByteArray& text) const {
    QFile file(path(name));
    if (file.open(QIODevice::WriteOnly)) file.write(text);
    return name;  // relative: the program makes it absolute
  }

  qsizetype timesLogged(const QString& text) const {
    QFile log(path(QStringLiteral("data/logs/kvasir.log")));
    return log.open(QIODevice::ReadOnly) ? QString::fromUtf8(log.readAll()).count(text) : 0;
  }
  bool hasLogged(const QString& text) const { return timesLogged(text) > 0; }

  /// All that was asked of any document, as the file of conversations has it.
  std::vector<ExchangePointer> asked() const {
    const auto file = pathOf(path(QStringLiteral("data/library/conversations.sqlite")).toStdString());
    if (!std::filesystem::exists(file)) return {};
    try {
      Database database{std::filesystem::path(file)};
      Statement rows = database.prepare("SELECT id FROM conversations");
      std::vector<ExchangePointer> all;
      while (rows.step()) {
        for (const ExchangePointer& exchange : Conversations(file).exchanges(rows.integer(0)))
          all.push_back(exchange);
      }
      return all;
    } catch (const std::exception&) {
      return {};  // the program is just making it
    }
  }

 private Q_SLOTS:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }
  void cleanup() {
    for (const auto& process : running_) {
      process->kill();
      process->waitForFinished();
    }
    running_.clear();
  }

  void opensTheFilesOfItsCommandLineAndAsks() {
    QProcess& program = run({write(QStringLiteral("whales.txt"), "The harpoon hit the whale at noon."),
                             QStringLiteral("--ask"), QStringLiteral("What did the harpoon hit?")});
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("Imported ") + path(QStringLiteral("whales.txt"))),
                             30000);
    QTRY_VERIFY_WITH_TIMEOUT(asked().size() == 1 && !asked()[0]->isUnanswered, 30000);
    QCOMPARE(asked()[0]->question, QStringLiteral("What did the harpoon hit?"));
    QVERIFY(asked()[0]->answer.contains(QLatin1String("harpoon")));
    // The system's wish to end is heard.
    program.terminate();
    QVERIFY(program.waitForFinished(10000));
    QCOMPARE(program.exitStatus(), QProcess::NormalExit);
    QVERIFY(hasLogged(QStringLiteral("Ended.")));
  }

  void handsFilesAndQuestionToTheProgramThatRuns() {
    QProcess& first = run({});
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("Started.")), 30000);
    QProcess& second = run({write(QStringLiteral("ships.txt"), "The steersman saw it from the stern."),
                            QStringLiteral("--ask"), QStringLiteral("What did the steersman see?")});
    QVERIFY(second.waitForFinished(10000));
    QCOMPARE(second.exitCode(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("Imported ") + path(QStringLiteral("ships.txt"))), 30000);
    QTRY_VERIFY_WITH_TIMEOUT(asked().size() == 1 && !asked()[0]->isUnanswered, 30000);
    QCOMPARE(first.state(), QProcess::Running);
  }

  void opensOneWindowWhenItIsStartedTwiceAtOnce() {
    const QProcess &first = run({}), &second = run({});
    QTRY_COMPARE_WITH_TIMEOUT(
        (first.state() == QProcess::NotRunning) + (second.state() == QProcess::NotRunning), 1, 30000);
    const QProcess& ended = first.state() == QProcess::NotRunning ? first : second;
    QCOMPARE(ended.exitStatus(), QProcess::NormalExit);
    QCOMPARE(ended.exitCode(), 0);
    QCOMPARE(timesLogged(QStringLiteral("Started.")), 1);
    QVERIFY(!hasLogged(QStringLiteral("did not end by itself")));
  }

  void startsAsUsualWhileTheOneBeforeIsEnding() {
    QProcess& first = run({});
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("Started.")), 30000);
    first.terminate();
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("Ended.")), 10000);
    run({});
    QTRY_COMPARE_WITH_TIMEOUT(timesLogged(QStringLiteral("Started.")), 2, 30000);
    QVERIFY(!hasLogged(QStringLiteral("did not end by itself")));
  }

  /// What was asked when it was killed is there, and nothing is done by itself.
  void keepsWhatWasAskedWhenItIsKilled() {
    QProcess& program =
        run({write(QStringLiteral("slow.txt"), QByteArray("The whale was white. ").repeated(40000)),
             QStringLiteral("--ask"), QStringLiteral("What colour had the whale?")});
    QTRY_VERIFY_WITH_TIMEOUT(asked().size() == 1, 30000);
    program.kill();
    QVERIFY(program.waitForFinished(10000));
    QCOMPARE(asked().size(), std::size_t{1});
    QCOMPARE(asked()[0]->question, QStringLiteral("What colour had the whale?"));
    run({});
    QTRY_VERIFY_WITH_TIMEOUT(hasLogged(QStringLiteral("did not end by itself")), 30000);
  }

  /// Without a screen, as over ssh: words need none, and the window says that it does.
  void saysWhatItNeedsWithoutAScreen() {
    QProcessEnvironment without = QProcessEnvironment::systemEnvironment();
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
      without.remove(QLatin1String(name));
    QProcess help, window;
    for (QProcess* process : {&help, &window}) process->setProcessEnvironment(without);
    help.start(QStringLiteral(KVASIR_PROGRAM), {QStringLiteral("--help")});
    QVERIFY(help.waitForFinished(10000));
    QCOMPARE(help.exitStatus(), QProcess::NormalExit);
    QCOMPARE(help.exitCode(), 0);
    QVERIFY(help.readAllStandardOutput().contains("--data-dir"));
    window.start(QStringLiteral(KVASIR_PROGRAM), {QStringLiteral("--data-dir"), path(QStringLiteral("data"))});
    QVERIFY(window.waitForFinished(10000));
    QCOMPARE(window.exitStatus(), QProcess::NormalExit);
    QCOMPARE(window.exitCode(), 1);
    QVERIFY(window.readAllStandardError().startsWith("Kvasir's window needs a screen"));
  }

  void saysWhatItCanDo() {
    QProcess& help = run({QStringLiteral("--help")});
    QVERIFY(help.waitForFinished(10000));
    const QByteArray said = help.readAllStandardOutput();
    for (const char* option : {"--ask", "--data-dir", "[files"}) QVERIFY2(said.contains(option), said);
  }
};

QTEST_GUILESS_MAIN(ProgramTest)
#include "program_test.moc"
