#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QIcon>
#include <QMessageBox>
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

}  // namespace

int main(int count, char** values) {
  if (const auto tables = kvasir::encodingTables()) kvasir::setEncodingTables(*tables);
  QApplication application(count, values);
  QApplication::setApplicationName(QStringLiteral("kvasir"));
  QApplication::setApplicationDisplayName(QStringLiteral("Kvasir"));
  QApplication::setApplicationVersion(QStringLiteral(KVASIR_VERSION));
  QApplication::setDesktopFileName(QStringLiteral("kvasir"));
  QApplication::setWindowIcon(QIcon(QStringLiteral(":/kvasir.svg")));
  QCommandLineParser line;
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
  line.process(application);
  const int status = runWindow(application, line);
  std::fflush(nullptr);
  // All of ours is closed; taking LibTorch down would hold up the end.
  std::_Exit(status);
}
