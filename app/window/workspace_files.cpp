#include <algorithm>
#include <functional>

#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QUrl>

#include "app/text.h"
#include "app/window/report.h"
#include "app/window/theme.h"
#include "app/window/workspace.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/panels/about_box.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/start_page.h"
#include "ui/size_text.h"

namespace kvasir {
namespace {

/// A question with one harmful answer, which is done when it is chosen.
void confirm(QWidget* parent, const QString& question, const QString& consequence, const QString& action,
             const std::function<void()>& act) {
  auto* box = new QMessageBox(QMessageBox::Question, question, question, QMessageBox::Cancel, parent);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setInformativeText(consequence);
  QPushButton* button = box->addButton(action, QMessageBox::DestructiveRole);
  QObject::connect(button, &QPushButton::clicked, box, act);
  box->open();
}

QFileDialog* fileDialog(QWidget* parent, const QString& title, QFileDialog::FileMode mode) {
  auto* dialog = new QFileDialog(parent, title);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(mode);
  return dialog;
}

}  // namespace

void Workspace::listed() {
  if (!std::exchange(isFirstList_, false) || options_.startsSafe || !awaited_.isEmpty()) return;
  if (session_->rows().empty()) {
    if (!options_.sample.isEmpty()) addFiles({options_.sample});
    return;
  }
  const LibraryRow* last = session_->row(preferences_.lastDocument);
  openDocument(last ? last->key : session_->rows().front().key);
}

void Workspace::addFiles(const QStringList& paths) {
  if (paths.isEmpty()) return;
  awaited_.clear();
  for (const QString& path : paths) awaited_ << QDir::cleanPath(QFileInfo(path).absoluteFilePath());
  if (!open_) window_->startPage()->setBusy(tr("Opening %1…").arg(QFileInfo(paths.first()).fileName()));
  session_->addFiles(paths);
}

bool Workspace::isAwaited(const QString& path) const {
  const QString clean = QDir::cleanPath(path);
  return std::any_of(awaited_.begin(), awaited_.end(), [&](const QString& awaited) {
    return clean == awaited || clean.startsWith(awaited + QLatin1Char('/'));
  });
}

void Workspace::askShown() {
  if (!home_.isEmpty()) askNext();
}

void Workspace::openDocument(const QString& id) {
  revealNext_.reset();
  if (isOpen(id) && home_ == id) return askNext();
  const LibraryRow* row = session_->row(id);
  if (row && !open_) window_->startPage()->setBusy(tr("Opening %1…").arg(row->title));
  session_->open(id);
}

/// Brings another document into the middle, while the conversation that led there stays.
void Workspace::goOnAt(const QString& id, const TextRange& range) {
  revealNext_ = {id, range};
  session_->open(id);
}

void Workspace::leaveDocument() {
  if (open_) session_->keepPlace(QString::fromStdString(open_->record.id), document_->place());
}

void Workspace::onOpened(std::shared_ptr<const Opened> opened) {
  leaveDocument();
  open_ = std::move(opened);
  const QString id = QString::fromStdString(open_->record.id);
  const LibraryRow* row = session_->row(id);
  marked_.clear();
  window_->startPage()->setBusy({});
  window_->showDocument(row ? row->title : QString::fromStdString(open_->record.title));
  const bool isDrawn = open_->complaint.isEmpty();
  document_->showDocument(open_->document, isDrawn ? QString::fromStdString(open_->record.file) : QString(),
                          open_->complaint);
  window_->library()->setOpen(id);
  preferences_.lastDocument = id;
  const auto reveals = std::exchange(revealNext_, std::nullopt);
  if (reveals && reveals->first == id) {
    focus_.clear();
    showRows();
    showMaps();
    revealIn(id, reveals->second);
    return;
  }
  if (open_->place) document_->goTo(*open_->place);
  if (home_ == id) return returnHome();
  endComparing();
  home_ = id;
  conversations_ = open_->conversations;
  setConversation(conversations_.empty() ? 0 : conversations_.front().id, open_->conversation);
  showScopes();
  showRunning();
  const bool isSample = QFileInfo(QString::fromStdString(open_->record.file)) == QFileInfo(options_.sample);
  if (isSample && exchanges_.empty() && window_->ask()->question().isEmpty())
    window_->ask()->setQuestion(options_.sampleQuestion);
  askNext();
}

/// From where a mark led: the conversation that led there goes on.
void Workspace::returnHome() {
  focus_.clear();
  showRows();
  showMaps();
  showScopes();
  askNext();
}

/// Tells why. The question that came with the file stays in the box, and is asked of no other document.
void Workspace::onNotOpened(const QString& sentence) {
  window_->startPage()->setBusy({});
  awaited_.clear();
  askOf_.clear();
  const QString question = std::exchange(nextQuestion_, {});
  if (!question.isEmpty()) window_->ask()->setQuestion(question);
  tell(sentence);
}

/// The question that came with the file, unless its answer is there from an earlier start. While another is
/// answered it is left in the box.
void Workspace::askNext() {
  if (!awaited_.isEmpty() || (!askOf_.isEmpty() && askOf_ != home_)) return;
  askOf_.clear();
  const QString question = std::exchange(nextQuestion_, {});
  if (question.isEmpty()) return;
  const bool isAnswered =
      std::any_of(exchanges_.begin(), exchanges_.end(), [&](const ExchangePointer& exchange) {
        return exchange->question == question && !exchange->isStopped && !exchange->isUnanswered;
      });
  if (isAnswered) return;
  window_->ask()->setQuestion(question);
  if (running_) return;
  Running running;
  running.question = question;
  running.documents = {home_};
  running.settings = askSettings(running.documents);
  run(std::move(running));  // of the whole document: nobody waits at the window for it
}

void Workspace::closeDocument() {
  endComparing();
  marked_.clear();
  open_.reset();
  home_.clear();
  conversations_.clear();
  document_->clear();
  setConversation(0, {});
  showScopes();
  window_->showDocument({});
  window_->library()->setOpen({});
  showRunning();
}

void Workspace::chooseFiles() {
  QFileDialog* dialog = fileDialog(window_.get(), tr("Add documents"), QFileDialog::ExistingFiles);
  dialog->setNameFilters(
      {tr("Documents (*.pdf *.epub *.md *.markdown *.html *.htm *.xhtml *.txt)"), tr("All files (*)")});
  connect(dialog, &QFileDialog::filesSelected, this, &Workspace::addFiles);
  dialog->open();
}

void Workspace::chooseFolder() {
  QFileDialog* dialog = fileDialog(window_.get(), tr("Add folder"), QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) { addFiles({folder}); });
  dialog->open();
}

void Workspace::openRecent(const QString& file) { addFiles({file}); }

void Workspace::chooseExport(const QString& suffix) {
  if (!open_ || exchanges_.empty()) return;
  QFileDialog* dialog = fileDialog(window_.get(), tr("Export"), QFileDialog::AnyFile);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(suffix);
  dialog->setNameFilters({QStringLiteral("*.") + suffix});
  dialog->selectFile(QFileInfo(QString::fromStdString(open_->record.file)).completeBaseName() +
                     QLatin1Char('.') + suffix);
  connect(dialog, &QFileDialog::fileSelected, this, &Workspace::exportTo);
  dialog->open();
}

bool Workspace::exportTo(const QString& file) {
  if (!open_) return false;
  const LibraryRow* row = session_->row(home_);
  Report report;
  report.title = row ? row->title : QString::fromStdString(open_->record.title);
  report.file = row ? row->file : QString::fromStdString(open_->record.file);
  report.exchanges = exchanges_;
  const bool isEvidence = QFileInfo(file).suffix().compare(QLatin1String("csv"), Qt::CaseInsensitive) == 0;
  try {
    isEvidence ? writeBytes(evidence_->csv(), file) : writeReport(report, file);
    log_.write(QStringLiteral("Exported ") + file);
    return true;
  } catch (const std::exception& error) {
    tell(QString::fromUtf8(error.what()));
    return false;
  }
}

void Workspace::confirmRemoval(const QStringList& ids) {
  const LibraryRow* row = ids.size() == 1 ? session_->row(ids.first()) : nullptr;
  const QString what = row ? tr("Remove “%1” from the library?").arg(row->title)
                           : tr("Remove %n documents from the library?", "", static_cast<int>(ids.size()));
  confirm(window_.get(), what,
          tr("What was read of it and its conversations are deleted. The file itself stays."), tr("Remove"),
          [this, ids] {
            for (const QString& id : ids) session_->remove(id);
          });
}

void Workspace::confirmForgetting(const QStringList& ids) {
  qint64 bytes = 0;
  for (const QString& id : ids) {
    if (const LibraryRow* row = session_->row(id)) bytes += row->readingBytes;
  }
  const LibraryRow* row = ids.size() == 1 ? session_->row(ids.first()) : nullptr;
  const QString what = row ? tr("Forget what was read of “%1”?").arg(row->title)
                           : tr("Forget what was read of %n documents?", "", static_cast<int>(ids.size()));
  confirm(window_.get(), what,
          tr("%1 on disk become free. The documents and their conversations stay. They are read again when "
             "they are asked, and at the next start where documents are read in the background.")
              .arg(asSize(bytes)),
          tr("Forget"), [this, ids] {
            for (const QString& id : ids) session_->unread(id);
          });
}

void Workspace::confirmEndOfConversation() {
  if (conversation_ == 0) return;
  confirm(window_.get(), tr("Delete this conversation?"),
          tr("Its questions, answers and evidence are deleted."), tr("Delete"),
          [this, conversation = conversation_] { endConversation(conversation); });
}

void Workspace::showFolder(const QString& key) {
  const LibraryRow* row = session_->row(key);
  if (row) QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(row->file).absolutePath()));
}

void Workspace::openLogFolder() { QDesktopServices::openUrl(QUrl::fromLocalFile(log_.folder())); }

void Workspace::openAbout() {
  auto* box = new AboutBox(QCoreApplication::applicationVersion(), window_.get());
  box->setAttribute(Qt::WA_DeleteOnClose);
  connect(box, &AboutBox::checkWished, session_, &Session::checkDevices);
  connect(session_, &Session::devicesFound, box,
          [box](const std::shared_ptr<const Devices>& devices) { box->setDevices(*devices); });
  connect(session_, &Session::devicesChecked, box, [box](const std::shared_ptr<const Checked>& checked) {
    box->setChecks(checked->checks, checked->complaint);
  });
  if (checked_) box->setChecks(checked_->checks, checked_->complaint);
  session_->findDevices();
  box->open();
}

void Workspace::openSettings() {
  auto* dialog = new SettingsDialog(preferences_.settings, methodChoices(), window_.get());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  connect(dialog, &QDialog::accepted, this, [this, dialog] { applySettings(dialog->values()); });
  dialog->open();
}

void Workspace::applySettings(const SettingsValues& settings) {
  const SettingsValues before = std::exchange(preferences_.settings, settings);
  savePreferences();
  if (look_) look_->apply(settings.theme, settings.fontPoints);
  const bool isOtherEngine = settings.model != before.model || settings.modelsFolder != before.modelsFolder ||
                             settings.threads != before.threads || settings.device != before.device;
  if (isOtherEngine) session_->setEngine(engineJob());
  const bool isOtherReading = settings.method != before.method ||
                              settings.budgetTokens != before.budgetTokens ||
                              settings.readsInBackground != before.readsInBackground || isOtherEngine;
  if (!isOtherReading) return;
  window_->ask()->setMethod(settings.method);
  window_->ask()->setBudget(settings.budgetTokens);
  session_->setReading(readSettings(), settings.readsInBackground ? Session::Reading::InBackground
                                                                  : Session::Reading::WhenAsked);
}

void Workspace::savePreferences() {
  if (preferencesFile_.save(preferences_)) return;
  tell(tr("The settings cannot be written to %1: they hold until Kvasir ends. Check the permissions and the "
          "space of its folder.")
           .arg(preferencesFile_.file()));
}

EngineJob Workspace::engineJob() const {
  const SettingsValues& settings = preferences_.settings;
  EngineJob job;
  job.settings.model = pathOf(settings.model.toStdString());
  job.settings.threads = settings.threads;
  job.settings.device = settings.device;
  job.modelsFolder = settings.modelsFolder.toStdString();
  return job;
}

AskSettings Workspace::readSettings() const {
  AskSettings settings;
  settings.method = preferences_.settings.method.toStdString();
  settings.budgetTokens = preferences_.settings.budgetTokens;
  return settings;
}

void Workspace::tell(const QString& sentence) {
  log_.write(sentence);
  window_->tell(sentence);
}

/// Takes a sentence away again, and no other that was told since.
void Workspace::untell(const QString& sentence) {
  if (window_->notice()->sentence() == sentence) window_->notice()->hide();
}

/// What must outlive the window; called at its closing, while work may go on.
void Workspace::shutDown() {
  if (std::exchange(isShutDown_, true)) return;
  leaveDocument();
  if (running_) {
    session_->stopQuestion(running_->number);
    onStopped(running_->number);
  }
  preferences_.geometry = window_->saveGeometry();
  preferences_.state = window_->saveState();
  savePreferences();
  log_.write(QStringLiteral("Ended."));
}

}  // namespace kvasir
