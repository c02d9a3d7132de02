#include "app/window/workspace.h"

#include <stdexcept>
#include <utility>

#include <QApplication>
#include <QDir>
#include <QLineEdit>
#include <QScreen>

#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/library_panel.h"
#include "ui/panels/main_window.h"
#include "ui/panels/notice_bar.h"
#include "ui/panels/start_page.h"

#include "app/window/theme.h"

namespace kvasir {
namespace {

constexpr QSize kUsualSize(1440, 900);

bool isMethod(const std::string& name) {
  try {
    requireMethod(name);
  } catch (const std::runtime_error&) {
    return false;
  }
  return true;
}

/// Which rows can be kept in fewer bits is the engine's to say.
std::vector<PackingChoice> packingsOf(const std::string& row) {
  std::vector<PackingChoice> packings;
  for (const auto& [suffix, text] :
       {std::pair("+kivi-4", Workspace::tr("4 bits")), std::pair("+kivi-2", Workspace::tr("2 bits"))})
    if (isMethod(row + suffix)) packings.push_back({QString::fromLatin1(suffix), text});
  return packings;
}

}  // namespace

std::vector<MethodChoice> methodChoices() {
  std::vector<MethodChoice> choices;
  for (const MethodInfo& method : listMethods())
    choices.push_back({QString::fromStdString(method.name), QString::fromStdString(method.description),
                       method.numbers, packingsOf(method.name)});
  return choices;
}

Workspace::Workspace(const WorkspaceOptions& options, Look* look, QObject* parent)
    : QObject(parent),
      options_(options),
      look_(look),
      preferencesFile_(options.folders.config),
      preferences_(preferencesFile_.load()),
      log_(options.folders.logs),
      session_(new Session(options.folders.library, this)),
      window_(std::make_unique<MainWindow>()),
      document_(new DocumentView(window_.get())),
      evidence_(new EvidencePanel(window_.get())),
      maps_(new MapPanel(window_.get())),
      compare_(new ComparePanel(window_.get())) {
  if (look_) look_->apply(preferences_.settings.theme, preferences_.settings.fontPoints);
  window_->resize(window_->screen() ? kUsualSize.boundedTo(window_->screen()->availableSize()) : kUsualSize);
  window_->setViews(document_, evidence_, maps_);
  window_->addLowerView(compare_, tr("Compare"));
  compare_->setMethods(listMethods());
  window_->ask()->setMethods(methodChoices());
  takeMethod();
  compare_->addMethod(window_->ask()->method());
  window_->ask()->setBudget(preferences_.settings.budgetTokens);
  window_->ask()->setObstacle(tr("Open a document to ask it."));
  window_->setRecent(preferences_.recent);
  document_->setInverted(preferences_.isInverted);
  connectWindow();
  connectLibrary();
  connectAsking();
  connectViews();
  connectSession();
  connectQuestions();
  // Files dropped on a field are dropped on the window.
  for (QLineEdit* field : window_->findChildren<QLineEdit*>()) field->setAcceptDrops(false);
  showStatus();
  showWishes();
}

/// The method of the settings; where there is none of that name (any more), the usual one from now on.
void Workspace::takeMethod() {
  QString& method = preferences_.settings.method;
  window_->ask()->setMethod(method);
  if (window_->ask()->method() == method) return;
  const QString unknown = std::exchange(method, QString::fromStdString(AskSettings{}.method));
  window_->ask()->setMethod(method);
  tell(tr("The settings name the method “%1”, which there is not; “%2” is taken in its place.")
           .arg(unknown, method));
}

Workspace::~Workspace() {
  shutDown();
  for (QObject* sender :
       std::initializer_list<QObject*>{window_.get(), document_, evidence_, maps_, compare_, window_->ask(),
                                       window_->library(), window_->strip(), window_->startPage()})
    sender->disconnect(this);
  // Before the views, which its signals reach.
  session_->disconnect(this);
  delete session_;
}

void Workspace::start() {
  if (!preferences_.geometry.isEmpty()) window_->restoreGeometry(preferences_.geometry);
  const bool isArranged = !preferences_.state.isEmpty() && window_->restoreState(preferences_.state);
  window_->show();
  if (!isArranged) window_->spreadDocks();
  log_.write(QStringLiteral("Started."));
  session_->setEngine(engineJob());
  const bool isReading = preferences_.settings.readsInBackground && !options_.startsSafe;
  session_->start(readSettings(), isReading ? Session::Reading::InBackground : Session::Reading::WhenAsked);
  if (!options_.startsSafe) return;
  const QString sentence = tr(
      "Kvasir did not end by itself last time. Nothing was opened, and nothing is read before you ask for it.");
  log_.write(sentence);
  window_->tell(sentence, tr("Open log folder"));
}

void Workspace::connectWindow() {
  MainWindow* window = window_.get();
  connect(window, &MainWindow::addWished, this, &Workspace::chooseFiles);
  connect(window, &MainWindow::addFolderWished, this, &Workspace::chooseFolder);
  connect(window, &MainWindow::filesDropped, this, &Workspace::addFiles);
  connect(window, &MainWindow::recentWished, this, &Workspace::openRecent);
  connect(window, &MainWindow::clearRecentWished, this, [this] {
    preferences_.recent.clear();
    window_->setRecent({});
  });
  connect(window, &MainWindow::exportWished, this, &Workspace::chooseExport);
  connect(window, &MainWindow::settingsWished, this, &Workspace::openSettings);
  connect(window, &MainWindow::logFolderWished, this, &Workspace::openLogFolder);
  connect(window, &MainWindow::aboutWished, this, &Workspace::openAbout);
  connect(window->notice(), &NoticeBar::actionWished, this, &Workspace::openLogFolder);
  connect(window, &MainWindow::closing, this, &Workspace::shutDown);
  connect(window->startPage(), &StartPage::sampleWished, this, [this] { addFiles({options_.sample}); });
  connect(document_, &DocumentView::invertedChanged, this, [this](bool is) { preferences_.isInverted = is; });
  // Does nothing to a window that is active.
  connect(this, &Workspace::workEnded, window, [window] { QApplication::alert(window); });
}

void Workspace::connectLibrary() {
  LibraryPanel* library = window_->library();
  connect(library, &LibraryPanel::openWished, this, &Workspace::openDocument);
  connect(library, &LibraryPanel::removeWished, this, &Workspace::confirmRemoval);
  connect(library, &LibraryPanel::forgetWished, this, &Workspace::confirmForgetting);
  connect(library, &LibraryPanel::tryAgainWished, session_, &Session::tryAgain);
  connect(library, &LibraryPanel::stopWished, session_, &Session::stopWork);
  connect(library, &LibraryPanel::selectionChanged, this, &Workspace::showScopes);
  connect(library, &LibraryPanel::folderWished, this, &Workspace::showFolder);
  connect(library, &LibraryPanel::collectionWished, this, [this](const QStringList& keys, const QString& name) {
    for (const QString& key : keys) session_->collect(key, name);
  });
}

void Workspace::connectAsking() {
  AskPanel* panel = window_->ask();
  const auto stop = [this] {
    if (running_) session_->stopQuestion(running_->number);
    stopComparing();
    stopLooking();
  };
  const auto againLast = [this] {
    if (shown_) askAgain(shown_->number);
  };
  connect(panel, &AskPanel::askWished, this, &Workspace::ask);
  connect(panel, &AskPanel::stopWished, this, stop);
  connect(panel, &AskPanel::againWished, this, &Workspace::askAgain);
  connect(panel, &AskPanel::showWished, this, [this](qint64 number) {
    const ExchangePointer exchange = find(number);
    show(exchange);
    if (exchange && exchange->isStopped && !exchange->maps) retrace(exchange);
  });
  connect(panel, &AskPanel::markActivated, this, &Workspace::followMark);
  connect(window_.get(), &MainWindow::againWished, this, againLast);
  connect(window_.get(), &MainWindow::stopWished, this, stop);
  connect(window_.get(), &MainWindow::verifyWished, this, &Workspace::verify);
  connect(panel, &AskPanel::conversationWished, this, &Workspace::chooseConversation);
  connect(panel, &AskPanel::newConversationWished, this, &Workspace::beginConversation);
  connect(panel, &AskPanel::renameConversationWished, this, &Workspace::renameConversation);
  connect(panel, &AskPanel::deleteConversationWished, this, &Workspace::confirmEndOfConversation);
  connect(panel, &AskPanel::scopeChanged, this, &Workspace::showWaiting);
  connect(panel, &AskPanel::methodChanged, this, &Workspace::showWaiting);
  connect(panel, &AskPanel::methodChanged, this, &Workspace::showWishes);
  connect(panel, &AskPanel::methodChanged, compare_, &ComparePanel::addMethod);
  connect(panel, &AskPanel::budgetChanged, this, &Workspace::showWaiting);
  connect(window_->strip(), &StatusStrip::moreBudgetWished, this, &Workspace::askWithMoreBudget);
}

void Workspace::connectViews() {
  connect(evidence_, &EvidencePanel::hovered, this, [this](std::optional<int> chunk) {
    maps_->highlight(chunk);
    lightChunk(chunk);
  });
  connect(maps_, &MapPanel::hovered, this, [this](std::optional<int> chunk) {
    evidence_->highlight(chunk);
    lightChunk(chunk);
  });
  connect(document_, &DocumentView::hovered, this, [this](std::optional<std::size_t> byte) {
    const std::optional<int> chunk = byte ? chunkAt(*byte) : std::nullopt;
    evidence_->highlight(chunk);
    maps_->highlight(chunk);
  });
  connect(document_, &DocumentView::rangeMarked, this, &Workspace::mark);
  connect(evidence_, &EvidencePanel::activated, this, &Workspace::reveal);
  connect(maps_, &MapPanel::activated, this, &Workspace::reveal);
  connect(maps_, &MapPanel::verifyWished, this, &Workspace::verify);
  connect(maps_, &MapPanel::headsWished, this, &Workspace::showHeads);
  connect(maps_, &MapPanel::looksWished, this, &Workspace::showLooks);
  connect(evidence_, &EvidencePanel::pinSectionWished, this, &Workspace::pinSection);
  connect(evidence_, &EvidencePanel::pinWished, this,
          [this](int chunk, bool isPinned) { wish({chunk}, isPinned ? Wish::Always : Wish::None); });
  connect(evidence_, &EvidencePanel::blockWished, this,
          [this](int chunk, bool isBlocked) { wish({chunk}, isBlocked ? Wish::Never : Wish::None); });
  connect(maps_, &MapPanel::wished, this, [this](int chunk, Wish wished) { wish({chunk}, wished); });
  connect(document_, &DocumentView::wished, this, [this](const TextRange& range, Wish wished) {
    if (open_) wish(chunksIn(QString::fromStdString(open_->record.id), range), wished);
  });
  connect(evidence_, &EvidencePanel::withoutWished, this, &Workspace::askWithout);
  connect(compare_, &ComparePanel::compareWished, this, &Workspace::compare);
  connect(compare_, &ComparePanel::stopWished, this, &Workspace::stopComparing);
  connect(compare_, &ComparePanel::mapsWished, this, &Workspace::showCompared);
  connect(evidence_, &EvidencePanel::exportWished, this, [this] { chooseExport(QStringLiteral("csv")); });
}

void Workspace::connectSession() {
  connect(session_, &Session::rowsChanged, this, [this] {
    window_->library()->setReadsByItself(session_->readsByItself());
    window_->library()->setRows(session_->rows());
    showScopes();
    showWaiting();
  });
  connect(session_, &Session::listed, this, &Workspace::listed);
  connect(session_, &Session::imported, this, [this](const QString& path, const QString& id) {
    preferences_.recent = withRecent(preferences_.recent, path);
    window_->setRecent(preferences_.recent);
    log_.write(QStringLiteral("Imported ") + path);
    if (!isAwaited(path)) return;
    awaited_.clear();
    if (!nextQuestion_.isEmpty()) askOf_ = id;
    openDocument(id);
  });
  connect(session_, &Session::opened, this, &Workspace::onOpened);
  connect(session_, &Session::openFailed, this, [this](const QString&, const QString& sentence) {
    revealNext_.reset();
    onNotOpened(sentence);
  });
  connect(session_, &Session::addFailed, this, &Workspace::onNotOpened);
  connect(session_, &Session::textLoaded, this,
          [this](const QString& id, const std::shared_ptr<const Document>& document) {
            onText(id, {document, {}});
          });
  connect(session_, &Session::textFailed, this, [this](const QString& id, const QString& sentence) {
    onText(id, {nullptr, sentence});
  });
  connect(session_, &Session::removed, this, [this](const QString& id) {
    if (retraced_ && retraced_->document == id) retraced_.reset();
    if (isOpen(id) || home_ == id) closeDocument();
  });
  connect(session_, &Session::readingEnded, this, &Workspace::workEnded);
  connect(session_, &Session::engineLoaded, this, [this](const QString& device) {
    log_.write(QStringLiteral("Loaded ") + device);
    status_.device = device;
    showStatus();
  });
  connect(session_, &Session::devicesChecked, this,
          [this](const std::shared_ptr<const Checked>& checked) { checked_ = checked; });
  connect(session_, &Session::worked, this, [this](const Progress& progress) {
    if (progress.tokensPerSecond <= 0) return;
    status_.tokensPerSecond = progress.tokensPerSecond;
    showStatus();
  });
  connect(session_, &Session::documentFailed, this, [this](const QString& key, const QString& sentence) {
    const LibraryRow* row = session_->row(key);
    const bool isLost = isAwaited(key) && !nextQuestion_.isEmpty() && !(row && row->isImported);
    if (isLost) return onNotOpened(sentence);
    awaited_.removeAll(QDir::cleanPath(key));
    log_.write(sentence);
    window_->startPage()->setBusy({});
  });
  connect(session_, &Session::told, this, &Workspace::tell);
}

void Workspace::connectQuestions() {
  connect(session_, &Session::questionProgressed, this, &Workspace::onProgress);
  connect(session_, &Session::answerGrew, this, [this](quint64 question, const QString& piece) {
    if (!running_ || running_->number != question) return;
    running_->text += piece;
    if (window_->ask()->isAnswering()) window_->ask()->appendAnswer(piece);
  });
  connect(
      session_, &Session::answered, this,
      [this](quint64 question, const std::shared_ptr<const Answered>& answer) { onAnswer(question, *answer); });
  connect(session_, &Session::questionStopped, this, &Workspace::onStopped);
  connect(session_, &Session::questionFailed, this, &Workspace::onFailed);
  connect(session_, &Session::verified, this, &Workspace::onVerified);
  connect(session_, &Session::retraced, this, &Workspace::onRetraced);
  connect(session_, &Session::talked, this, [this](const std::shared_ptr<const Talk>& talk) {
    if (talk->conversation != conversation_) return;
    std::vector<ExchangePointer> exchanges = talk->exchanges;
    for (ExchangePointer& exchange : exchanges) {
      // Answered since it was looked up.
      if (const ExchangePointer newer = find(exchange->number)) exchange = newer;
    }
    setConversation(conversation_, std::move(exchanges));
  });
}

}  // namespace kvasir
