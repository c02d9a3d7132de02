#pragma once

#include <vector>

#include <QWidget>

#include "ui/panels/exchange.h"
#include "ui/panels/method_box.h"

class QAction;
class QCheckBox;
class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QTextBrowser;
class QUrl;

namespace kvasir {

class QuestionBox;

/// A conversation of a document as the panel offers it.
struct ConversationChoice {
  qint64 id = 0;
  QString title;
};

/// Documents that a question can be asked of.
struct ScopeChoice {
  QString title;  ///< "This document", "3 selected documents"
  QStringList documents;
  QString key = {};  ///< what it stays while its title counts on; empty: the title
  friend bool operator==(const ScopeChoice&, const ScopeChoice&) = default;
};

/// The conversations with a document at the right of the window, and the box for the next question.
class AskPanel : public QWidget {
  Q_OBJECT
 public:
  explicit AskPanel(QWidget* parent = nullptr);

  void setMethods(std::vector<MethodChoice> methods);
  void setMethod(const QString& name);
  void setBudget(int tokens);
  QString method() const;
  int budget() const;
  /// What Tab comes to, one after the other: the question and how it is asked, then what was said.
  QWidgetList tabParts() const;
  bool isFollowUp() const;  ///< whether the next question refers to those before it

  /// shown: the id of one of them, or 0 for one that has not begun.
  void setConversations(const std::vector<ConversationChoice>& conversations, qint64 shown);
  /// The choice of documents stays at the same key while there is one.
  void setScopes(std::vector<ScopeChoice> scopes);
  QStringList scope() const;  ///< ids of the documents to be asked
  /// Whether what is to be asked is not read to its end: then it can be waited for.
  void offerWaiting(bool isOffered);
  bool waitsUntilRead() const;

  QString question() const;
  void setQuestion(const QString& question);
  /// Empty: questions can be asked. Else why not, and the button is off.
  void setObstacle(const QString& sentence);

  /// What the menu of the conversations does, for the window's menus.
  QList<QAction*> conversationActions() const { return conversationActions_; }

  void setConversation(std::vector<ExchangePointer> exchanges);
  /// The exchange whose evidence the other panels show; 0: none.
  void setShown(qint64 exchange);

  /// asked: the question as the model gets it, where that differs.
  void beginAnswer(const QString& question, const QString& asked, const QString& note);
  void appendAnswer(const QString& piece);
  void setStage(const QString& sentence, double share);  ///< while an answer is made; share below 0: not known
  void endAnswer();                                      ///< setConversation follows with what was said
  void announceAnswer();                                 ///< to programs that read the screen aloud
  bool isAnswering() const { return isAnswering_; }
  void focusQuestion();

 Q_SIGNALS:
  void askWished(QString question);
  void stopWished();
  void againWished(qint64 exchange);
  void showWished(qint64 exchange);
  void markActivated(qint64 exchange, int rank, QString sentence);
  void conversationWished(qint64 id);
  void newConversationWished();
  void renameConversationWished(qint64 conversation, QString title);
  void deleteConversationWished();
  void scopeChanged();
  void budgetChanged(int tokens);
  void methodChanged(QString name);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void layOut();
  QWidget* makeConversationRow();
  QWidget* makeScopeRow();
  void askTitle();
  QWidget* makeSettings();
  void name();
  void ask();
  void follow(const QUrl& link);
  void render();
  void updateButtons();
  const Exchange* find(qint64 number) const;

  QTextBrowser* conversation_;
  QLabel* stage_;
  QProgressBar* progress_;
  QuestionBox* box_;
  MethodBox* method_;
  QSpinBox* budget_;
  QCheckBox *followUp_, *waits_;
  QComboBox *conversations_, *scopes_;
  QLabel* scopeLabel_;
  QAction *rename_, *delete_;
  QList<QAction*> conversationActions_;
  QPushButton *ask_, *stop_;
  std::vector<ExchangePointer> exchanges_;
  std::vector<ScopeChoice> scopeChoices_;
  qint64 shown_ = 0;
  QString obstacle_, pendingQuestion_, pendingAsked_, pendingNote_, pendingText_;
  bool isAnswering_ = false;
};

}  // namespace kvasir
