#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QIcon>
#include <QMessageBox>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "app/places.h"
#include "app/window/single_instance.h"
#include "app/window/terminator.h"
#include "app/window/theme.h"
#include "app/window/workspace.h"
#include "importers/importer.h"
#include "ui/panels/main_window.h"

namespace {

constexpr std::chrono::seconds kPatience(15);  // with a Kvasir that runs, and is busy or just ending

QStringList absolute(const QStringList& files) {
  QStringList paths;
  for (const QString& file : files) paths << QFileInfo(file).absoluteFilePath();
  return paths;
}

int sayThatAnotherRuns() {
  QMessageBox box(QMessageBox::Warning, QApplication::applicationDisplayName(),
                  QApplication::translate("main", "Kvasir is running already, and does not answer."),
                  QMessageBox::Ok);
  box.setInformativeText(QApplication::translate("main", "Wait until it is done, or end it, and start again."));
  box.show();
  QApplication::exec();
  return EXIT_FAILURE;
}

int runWindow(QApplication& application, const QCommandLineParser& line) {
  using namespace kvasir;
  WorkspaceOptions options;
  options.folders = windowFolders(line.value(QStringLiteral("data-dir")));
  const QStringList files = absolute(line.positionalArguments());
  SingleInstance instance(options.folders.config);
  const QString question = line.value(QStringLiteral("ask"));
  const SingleInstance::Standing standing = instance.begin(files, question, kPatience);
  if (standing == SingleInstance::Standing::HandedOver) return EXIT_SUCCESS;
  if (standing == SingleInstance::Standing::Unheard) return sayThatAnotherRuns();
  const RunMarker marker(options.folders.config);
  options.sample = sampleFile();
  options.sampleQuestion = sampleQuestion();
  options.startsSafe = marker.wasLeft();
  Look look(application);
  Workspace workspace(options, &look);
  QObject::connect(&instance, &SingleInstance::received, &workspace,
                   [&](const QStringList& received, const QString& asked) {
                     if (!asked.isEmpty()) workspace.askNextOpened(asked);
                     workspace.addFiles(received);
                     if (received.isEmpty()) workspace.askShown();
                     workspace.window().setWindowState(workspace.window().windowState() & ~Qt::WindowMinimized);
                     workspace.window().raise();
                     workspace.window().activateWindow();
                   });
  Terminator terminator;
  QObject::connect(&terminator, &Terminator::wished, &workspace.window(), &QWidget::close);
  instance.listen();
  workspace.askNextOpened(question);
  workspace.addFiles(files);
  workspace.start();
  return QApplication::exec();
}

void describe(QCommandLineParser& line) {
  line.setApplicationDescription(QStringLiteral("Ask long documents, and see why."));
  line.addHelpOption();
  line.addVersionOption();
  line.addOption(
      {QStringLiteral("ask"), QStringLiteral("Ask this of the first file."), QStringLiteral("question")});
  line.addOption({QStringLiteral("data-dir"),
                  QStringLiteral("Keep library, preferences and logs in this folder."),
                  QStringLiteral("folder")});
  line.addPositionalArgument(QStringLiteral("files"), QStringLiteral("Documents and folders to open."),
                             QStringLiteral("[files…]"));
}

/// Whether only words are wished for, which need no screen.
bool asksForWords(QStringList arguments) {
  arguments.removeFirst();
  const QStringList words{QStringLiteral("-h"), QStringLiteral("--help"), QStringLiteral("--help-all"),
                          QStringLiteral("-v"), QStringLiteral("--version")};
  return std::ranges::any_of(arguments, [&](const QString& argument) { return words.contains(argument); });
}

bool namesPlatform(const QStringList& arguments) {
  return arguments.contains(QStringLiteral("-platform")) || arguments.contains(QStringLiteral("--platform"));
}

/// Whether Qt was told of a screen: without any, QApplication ends the process with words for programmers.
bool hasScreen(const QStringList& arguments) {
#if defined(Q_OS_UNIX) && !defined(Q_OS_MACOS)
  return namesPlatform(arguments) || !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") ||
         !qEnvironmentVariableIsEmpty("DISPLAY") || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY");
#else
  static_cast<void>(arguments);
  return true;
#endif
}

}  // namespace

int main(int count, char** values) {
  using namespace kvasir;
  QCoreApplication::setApplicationName(QStringLiteral("kvasir"));
  QCoreApplication::setApplicationVersion(QStringLiteral(KVASIR_VERSION));
  QStringList arguments;
  for (int i = 0; i < count; ++i) arguments << QString::fromLocal8Bit(values[i]);
  QCommandLineParser line;
  describe(line);
  if (asksForWords(arguments) && !namesPlatform(arguments)) {
    const QCoreApplication application(count, values);
    line.process(application);
  }
  if (!hasScreen(arguments)) {
    std::fputs(
        "Kvasir's window needs a screen, and there is none here; kvasir-cli needs none: kvasir-cli ask FILE "
        "QUESTION.\n",
        stderr);
    return EXIT_FAILURE;
  }
  if (const auto tables = encodingTables()) setEncodingTables(*tables);
  QApplication application(count, values);
  QApplication::setApplicationDisplayName(QStringLiteral("Kvasir"));
  QApplication::setDesktopFileName(QStringLiteral("kvasir"));
  QApplication::setWindowIcon(QIcon(QStringLiteral(":/kvasir.svg")));
  line.process(application);
  const int status = runWindow(application, line);
  std::fflush(nullptr);
  // All of ours is closed; taking LibTorch down would hold up the end.
  std::_Exit(status);
}
