#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <QObject>

#include "app/window/log_file.h"
#include "app/window/preferences.h"
#include "app/window/session.h"
#include "app/window/window_folders.h"
#include "ui/maps/compare_panel.h"
#include "ui/maps/evidence_rows.h"
#include "ui/panels/method_box.h"
#include "ui/panels/status_strip.h"
#include "ui/wish_menu.h"

namespace kvasir {

class DocumentView;
class EvidencePanel;
class Look;
class MainWindow;
class MapPanel;

/// The rows of the method table, as the window offers them.
std::vector<MethodChoice> methodChoices();

struct WorkspaceOptions {
  WindowFolders folders;
  QString sample, sampleQuestion;  ///< the document of a first start; empty: none
  bool startsSafe = false;         ///< nothing is opened or read by itself
};

/// Connects the session, the panels and the views, and holds what is open: nothing else knows two of them.
class Workspace : public QObject {
  Q_OBJECT
 public:
  /// `look` may be null; else it outlives the workspace.
  Workspace(const WorkspaceOptions& options, Look* look, QObject* parent = nullptr);
  ~Workspace() override;

  void start();  ///< shows the window, then lists the library
  MainWindow& window() { return *window_; }
  Session& session() { return *session_; }

  /// Adds files and folders; the first that is imported is opened.
  void addFiles(const QStringList& paths);
  /// Asked of the next document that is opened.
  /// Of the document that is opened next; of the first of the files that are added with it.
  void askNextOpened(const QString& question) { nextQuestion_ = question; }
  void askShown();  ///< that question, of the document that is open already
  /// Writes the conversation, or, as .csv, the evidence table as it is shown. False after telling why not.
  bool exportTo(const QString& file);
  void applySettings(const SettingsValues& settings);

  const Opened* open() const { return open_.get(); }
  /// The document whose conversations are shown: that in the middle, or one whose answer led there.
  const QString& home() const { return home_; }
  const Exchange* shown() const { return shown_.get(); }
  bool isAnswering() const { return running_.has_value(); }

 Q_SIGNALS:
  void workEnded();  ///< that takes long: reading, an answer, a comparison, a verification

 private:
  /// The question that is being answered.
  struct Running {
    quint64 number = 0;   ///< the session's
    qint64 exchange = 0;  ///< its number in the conversation, where it stands unanswered meanwhile
    qint64 conversation = 0;
    QString document, title, question, asked, note, when, text;
    QStringList documents;  ///< those asked; of a question of its own document alone: that one
    AskSettings settings;
    Extent extent = Extent::Whole;
    int leftOut = -1;
    ExchangePointer without;  ///< the answer it is compared with; of "what if"
    QString withoutPlace;
  };

  /// Of a document that is not open, or why there is none; neither while it is being loaded.
  struct Text {
    std::shared_ptr<const Document> document;
    QString failure;
  };

  void takeMethod();
  void connectWindow();
  void connectLibrary();
  void connectAsking();
  void connectViews();
  void connectSession();
  void connectQuestions();

  // library, documents, settings: workspace_files.cpp
  void listed();
  void openDocument(const QString& id);
  void onOpened(std::shared_ptr<const Opened> opened);
  void onNotOpened(const QString& sentence);
  void askNext();
  bool isAwaited(const QString& path) const;
  void returnHome();
  void closeDocument();
  void leaveDocument();
  void chooseFiles();
  void chooseFolder();
  void chooseExport(const QString& suffix);
  void confirmRemoval(const QStringList& ids);
  void confirmForgetting(const QStringList& ids);
  void confirmEndOfConversation();
  void goOnAt(const QString& id, const TextRange& range);
  void openRecent(const QString& file);
  void showFolder(const QString& key);
  void openSettings();
  void openLogFolder();
  void openAbout();
  void shutDown();
  void savePreferences();
  EngineJob engineJob() const;
  AskSettings readSettings() const;
  void tell(const QString& sentence);
  void untell(const QString& sentence);

  // conversations and what is asked: workspace_conversations.cpp
  void setConversation(qint64 conversation, std::vector<ExchangePointer> exchanges);
  void showConversations();
  void beginConversation();
  void chooseConversation(qint64 conversation);
  void renameConversation(qint64 conversation, const QString& title);
  void endConversation(qint64 conversation);
  void showScopes();
  void showWaiting();
  QStringList scope() const;  ///< ids of the documents the next question is asked of
  Extent extentFor(const QStringList& documents, const AskSettings& settings) const;
  qint64 nextNumber();

  // questions and answers: workspace_answers.cpp
  AskSettings askSettings(const QStringList& documents) const;
  void ask(const QString& question);
  void askAgain(qint64 exchange);
  void askWithout(int chunk);
  void askWithMoreBudget();
  void run(Running running);
  void showRunning();
  void onProgress(quint64 question, const Progress& progress, double secondsLeft);
  void onAnswer(quint64 question, const Answered& answered);
  void onStopped(quint64 question);
  void onFailed(quint64 question, const QString& sentence);
  Exchange askedOf(const Running& running) const;
  void endAnswer(Exchange exchange);
  QString differenceNote(const Running& running, const Exchange& exchange) const;
  void onVerified(qint64 exchange, std::shared_ptr<const FullAttention> full);
  void retrace(const ExchangePointer& exchange);
  void onRetraced(qint64 exchange, const std::shared_ptr<const Exchange>& result);
  void verify();
  void stopLooking();
  bool renew(const ExchangePointer& before, const ExchangePointer& changed);
  ExchangePointer find(qint64 exchange) const;
  void show(const ExchangePointer& exchange);  ///< its evidence and maps; null: none
  void showStatus();
  void showHeads(int chunk);
  void showLooks();

  // evidence, on the pages and in the maps: workspace_evidence.cpp
  void showRows();
  void showMaps();
  void reveal(int chunk);
  void revealIn(const QString& document, const TextRange& range);
  bool isOpen(const QString& document) const;
  void followMark(qint64 exchange, int rank, const QString& sentence);
  void lightChunk(std::optional<int> chunk);
  std::optional<int> chunkAt(std::size_t byte) const;
  std::vector<int> chunksIn(const QString& document, const TextRange& range) const;
  void wish(const std::vector<int>& chunks, Wish wish);
  void pinSection(int chunk);
  EvidenceRow rowOf(int chunk);
  void fill(EvidenceRow& row);
  void onText(const QString& document, const Text& text);
  void showWishes();
  void mark(const TextRange& range);

  /// One question by several methods.
  struct Comparing {
    std::vector<quint64> numbers;  ///< the session's, of each entry
    std::vector<CompareEntry> entries;
    std::vector<ExchangePointer> exchanges;  ///< of each entry; null: none yet. Not kept.
    bool isRunning() const {
      return std::any_of(entries.begin(), entries.end(), [](const CompareEntry& e) { return e.isRunning; });
    }
  };

  void compare(const QStringList& methods);
  bool showCompareProgress(quint64 question, const QString& doing);
  bool noteCompared(quint64 question, const ExchangePointer& exchange, const QString& failure);
  void showCompared(int entry);
  void stopComparing();
  void endComparing();

  WorkspaceOptions options_;
  Look* look_;
  PreferencesFile preferencesFile_;
  Preferences preferences_;
  LogFile log_;
  Session* session_;
  std::unique_ptr<MainWindow> window_;
  DocumentView* document_;
  EvidencePanel* evidence_;
  MapPanel* maps_;
  ComparePanel* compare_;

  std::shared_ptr<const Opened> open_;
  QString home_;                             ///< id of the document whose conversations are shown
  std::vector<Conversation> conversations_;  ///< of it, the last one spoken in first
  qint64 conversation_ = 0;                  ///< the one shown; 0: it has not begun
  std::vector<ExchangePointer> exchanges_;   ///< of the conversation shown
  ExchangePointer shown_;
  std::optional<Running> running_;
  Comparing comparing_;
  std::set<int> pinned_, blocked_;  ///< chunks, for the next question
  std::map<QString, Text> texts_;   ///< of the documents that pins and blocks needed, for the answer shown
  std::vector<TextRange> focus_;    ///< lit as hovered while nothing is
  std::vector<TextRange> marked_;
  QString nextQuestion_, askOf_;  // and the document it is meant for, once that is known
  QStringList awaited_;           // files and folders of which the first that is imported is opened
  std::optional<std::pair<QString, TextRange>> revealNext_;  ///< in the document that is being opened
  StatusValues status_;
  std::shared_ptr<const Checked> checked_;  ///< how the kernels did; null: not checked yet
  qint64 lastNumber_ = 0;                   ///< of a conversation or an exchange
  quint64 verifying_ = 0, retracing_ = 0;   ///< the session's work; 0: none
  ExchangePointer retraced_;                ///< what is retraced, whatever is shown meanwhile
  std::optional<int> headsWished_;          ///< a chunk, until the answer was retraced
  bool isFirstList_ = true, isShutDown_ = false;
};

}  // namespace kvasir
