#pragma once

#include <memory>

#include <QTemporaryDir>

#include "app/window/theme.h"
#include "app/window/workspace.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/question_box.h"

namespace kvasir {

QString samplePdf();
QString sampleQuestionText();

/// Work of the engine, not waiting: the thread is busy for so long.
void workFor(int milliseconds);

/// The whole window over a folder of its own and the stand-in for the engine, driven as a user would. What goes
/// wrong fails the test that runs.
class DrivenWindow {
 public:
  enum class Sample { None, There };
  enum class Start { Usual, Safe };

  DrivenWindow();

  /// A start over the folder; the window of an earlier start must be closed.
  void start(Sample sample = Sample::None, Start how = Start::Usual);
  void close() { workspace_.reset(); }
  bool isRunning() const { return workspace_ != nullptr; }

  Workspace& workspace() { return *workspace_; }
  MainWindow& window() { return workspace_->window(); }
  AskPanel& panel() { return *window().ask(); }
  QuestionBox& box() { return *panel().findChild<QuestionBox*>(); }
  const Exchange* shown() const { return workspace_->shown(); }
  QString conversation();
  Look& look() { return look_; }
  QString path(const QString& name) const { return folder_.filePath(name); }

  bool isReady();  ///< all documents are read
  QString write(const QString& name, const QByteArray& text) const;
  /// Drops a file and waits until it is open and read.
  void open(const QString& file);
  void openSample() { open(samplePdf()); }
  /// Drops a text of 12,000 bytes that is read slowly and stays half read.
  void openHalfRead(const QByteArray& beginning);
  void ask(const QString& question);
  void askAndWait(const QString& question);
  /// Clicks the first link of the conversation whose target begins so; false where there is none.
  bool clickLink(const QString& target);
  /// Clicks the chunk's row in the evidence table; false where there is none.
  bool clickRow(int chunk);
  /// The same, then the button below the table: "Pin". False where that is off.
  bool clickOfRow(int chunk, const QString& button);
  /// Ticks the methods in the comparison, whose view is shown, and compares them.
  void compare(const QStringList& methods);
  /// The button over the maps, which are shown; false where it is off or away.
  bool clickVerify();

 private:
  QTemporaryDir folder_;
  Look look_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace kvasir
