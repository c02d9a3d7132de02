#include "ui/panels/ask_panel.h"

#include <algorithm>

#include <QAccessible>
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QSpinBox>
#include <QTextBrowser>
#include <QTextCursor>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/panels/answer_marks.h"
#include "ui/panels/conversation_html.h"
#include "ui/panels/question_box.h"

namespace kvasir {
namespace {

constexpr int kLeastBudget = 256;
constexpr int kMostBudget = 1 << 20;
constexpr int kBudgetStep = 256;

}  // namespace

AskPanel::AskPanel(QWidget* parent)
    : QWidget(parent),
      conversation_(new QTextBrowser(this)),
      stage_(new QLabel(this)),
      progress_(new QProgressBar(this)),
      box_(new QuestionBox(this)),
      method_(new MethodBox(tr("Method of the question"), this)),
      budget_(new QSpinBox(this)),
      followUp_(new QCheckBox(tr("Follow-&up"), this)),
      waits_(new QCheckBox(tr("Wait until it is &read"), this)),
      conversations_(new QComboBox(this)),
      scopes_(new QComboBox(this)),
      scopeLabel_(new QLabel(tr("As&k of:"), this)),
      ask_(new QPushButton(tr("A&sk"), this)),
      stop_(new QPushButton(tr("S&top"), this)) {
  name();
  layOut();
  connect(box_, &QuestionBox::askWished, this, &AskPanel::ask);
  connect(box_, &QuestionBox::stopWished, this, &AskPanel::stopWished);
  connect(box_, &QPlainTextEdit::textChanged, this, &AskPanel::updateButtons);
  connect(ask_, &QPushButton::clicked, this, &AskPanel::ask);
  connect(stop_, &QPushButton::clicked, this, &AskPanel::stopWished);
  connect(conversation_, &QTextBrowser::anchorClicked, this, &AskPanel::follow);
  connect(budget_, &QSpinBox::valueChanged, this, &AskPanel::budgetChanged);
  connect(method_, &MethodBox::methodChanged, this, &AskPanel::methodChanged);
  connect(conversations_, &QComboBox::activated, this,
          [this] { Q_EMIT conversationWished(conversations_->currentData().toLongLong()); });
  connect(scopes_, &QComboBox::currentIndexChanged, this, &AskPanel::scopeChanged);
  followUp_->setEnabled(false);
  waits_->hide();
  setConversations({}, 0);
  setScopes({});
  updateButtons();
  render();
}

void AskPanel::name() {
  conversation_->setAccessibleName(tr("Conversation"));
  conversation_->setOpenLinks(false);
  stage_->setWordWrap(true);
  stage_->setAccessibleName(tr("What is being done"));
  progress_->setAccessibleName(tr("Progress"));
  progress_->setTextVisible(false);
  progress_->setMaximumHeight(8);
  progress_->setRange(0, 1000);
  budget_->setAccessibleName(tr("Budget of the question in tokens"));
  budget_->setRange(kLeastBudget, kMostBudget);
  budget_->setSingleStep(kBudgetStep);
  budget_->setGroupSeparatorShown(true);
  budget_->setValue(2048);
  budget_->setToolTip(
      tr("Of how many tokens a question may attend to the keys and values (KV), in each layer."));
  followUp_->setAccessibleName(tr("Follow-up"));
  followUp_->setToolTip(
      tr("The question refers to those before it: the model gets them and their answers too, the last ones "
         "first, as far as about 256 tokens go."));
  followUp_->setObjectName(QStringLiteral("followUp"));
  waits_->setObjectName(QStringLiteral("waitUntilRead"));
  conversations_->setObjectName(QStringLiteral("conversations"));
  scopes_->setObjectName(QStringLiteral("scopes"));
  waits_->setAccessibleName(tr("Wait until the document is read"));
  waits_->setToolTip(
      tr("The document is still being read. A question is answered from what has been read so far, unless it "
         "is to wait "
         "for the rest."));
  conversations_->setAccessibleName(tr("Conversation shown"));
  conversations_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  conversations_->setMinimumContentsLength(10);
  scopes_->setAccessibleName(tr("Documents to be asked"));
  scopes_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  scopes_->setMinimumContentsLength(10);
  scopes_->setToolTip(
      tr("Select several documents in the library, or put them into a collection, to ask them together."));
  scopeLabel_->setBuddy(scopes_);
  ask_->setAccessibleName(tr("Ask"));
  stop_->setAccessibleName(tr("Stop the answer"));
  stop_->setToolTip(tr("Stop and keep the text so far (Esc)."));
  ask_->setToolTip(tr("Ask the question (Enter)."));
}

void AskPanel::layOut() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(6, 6, 6, 6);
  column->addWidget(makeConversationRow());
  column->addWidget(conversation_, 1);
  column->addWidget(stage_);
  column->addWidget(progress_);
  column->addWidget(makeScopeRow());
  column->addWidget(box_);
  column->addWidget(makeSettings());
}

QWidgetList AskPanel::tabParts() const {
  return {scopes_->parentWidget(), box_, followUp_->parentWidget(), conversations_->parentWidget(),
          conversation_};
}

QWidget* AskPanel::makeConversationRow() {
  auto* row = new QWidget(this);
  auto* line = new QHBoxLayout(row);
  line->setContentsMargins(0, 0, 0, 0);
  auto* menu = new QMenu(row);
  QAction* begin =
      menu->addAction(tr("&New conversation"), QKeySequence::New, this, &AskPanel::newConversationWished);
  rename_ = menu->addAction(tr("Rena&me conversation…"), this, &AskPanel::askTitle);
  delete_ = menu->addAction(tr("&Delete conversation…"), this, &AskPanel::deleteConversationWished);
  conversationActions_ = {begin, rename_, delete_};
  auto* more = new QToolButton(row);
  more->setText(tr("Conversation"));
  more->setAccessibleName(tr("Begin, rename or delete a conversation"));
  more->setToolTip(more->accessibleName());
  more->setFocusPolicy(Qt::StrongFocus);
  more->setPopupMode(QToolButton::InstantPopup);
  more->setMenu(menu);
  line->addWidget(conversations_, 1);
  line->addWidget(more);
  return row;
}

QWidget* AskPanel::makeScopeRow() {
  auto* row = new QWidget(this);
  auto* column = new QVBoxLayout(row);
  column->setContentsMargins(0, 0, 0, 0);
  auto* line = new QHBoxLayout;
  line->addWidget(scopeLabel_);
  line->addWidget(scopes_, 1);
  column->addLayout(line);
  column->addWidget(waits_);
  return row;
}

void AskPanel::askTitle() {
  auto* dialog = new QInputDialog(this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(tr("Rename conversation"));
  dialog->setLabelText(tr("Title of the conversation:"));
  dialog->setTextValue(conversations_->currentText());
  const qint64 conversation = conversations_->currentData().toLongLong();  // another may be shown by then
  connect(dialog, &QInputDialog::textValueSelected, this, [this, conversation](const QString& title) {
    if (!title.trimmed().isEmpty()) Q_EMIT renameConversationWished(conversation, title.trimmed());
  });
  dialog->open();
}

void AskPanel::setConversations(const std::vector<ConversationChoice>& conversations, qint64 shown) {
  const QSignalBlocker quiet(conversations_);
  conversations_->clear();
  if (shown == 0) conversations_->addItem(tr("New conversation"), QVariant::fromValue<qint64>(0));
  for (const ConversationChoice& choice : conversations) {
    conversations_->addItem(choice.title.simplified(), QVariant::fromValue<qint64>(choice.id));
    conversations_->setItemData(conversations_->count() - 1, choice.title, Qt::ToolTipRole);
  }
  conversations_->setCurrentIndex(std::max(0, conversations_->findData(QVariant::fromValue<qint64>(shown))));
  for (QAction* action : {rename_, delete_}) action->setEnabled(shown != 0);
}

void AskPanel::setScopes(std::vector<ScopeChoice> scopes) {
  if (!scopes.empty() && scopes == scopeChoices_) return;  // the list may be open
  const auto keyOf = [](const ScopeChoice& choice) { return choice.key.isEmpty() ? choice.title : choice.key; };
  const auto chosen = static_cast<std::size_t>(std::max(0, scopes_->currentIndex()));
  const QString before = chosen < scopeChoices_.size() ? keyOf(scopeChoices_[chosen]) : QString();
  const QStringList asked = scope();
  {
    const QSignalBlocker quiet(scopes_);
    scopes_->clear();
    for (const ScopeChoice& choice : scopes) scopes_->addItem(choice.title);
    scopeChoices_ = std::move(scopes);
    const auto same = std::ranges::find(scopeChoices_, before, keyOf);
    const auto first = scopeChoices_.empty() ? -1 : 0;
    scopes_->setCurrentIndex(same == scopeChoices_.end() ? first
                                                         : static_cast<int>(same - scopeChoices_.begin()));
  }
  const bool isChoice = scopeChoices_.size() > 1;
  scopes_->setVisible(isChoice);
  scopeLabel_->setVisible(isChoice);
  if (scope() != asked) Q_EMIT scopeChanged();
}

QStringList AskPanel::scope() const {
  const auto index = static_cast<std::size_t>(std::max(0, scopes_->currentIndex()));
  return index < scopeChoices_.size() ? scopeChoices_[index].documents : QStringList();
}

void AskPanel::offerWaiting(bool isOffered) { waits_->setVisible(isOffered); }
bool AskPanel::waitsUntilRead() const { return waits_->isVisibleTo(this) && waits_->isChecked(); }

QWidget* AskPanel::makeSettings() {
  auto* row = new QWidget(this);
  auto* line = new QHBoxLayout(row);
  line->setContentsMargins(0, 0, 0, 0);
  auto* methodLabel = new QLabel(tr("&Method:"), row);
  methodLabel->setBuddy(method_->list());
  auto* budgetLabel = new QLabel(tr("&Budget:"), row);
  budgetLabel->setBuddy(budget_);
  line->addWidget(methodLabel);
  line->addWidget(method_, 1);
  line->addWidget(budgetLabel);
  line->addWidget(budget_);
  auto* both = new QWidget(this);
  auto* column = new QVBoxLayout(both);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(row);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(followUp_);
  buttons->addStretch(1);
  buttons->addWidget(stop_);
  buttons->addWidget(ask_);
  column->addLayout(buttons);
  return both;
}

void AskPanel::setMethods(std::vector<MethodChoice> methods) { method_->setMethods(std::move(methods)); }
void AskPanel::setMethod(const QString& name) { method_->setMethod(name); }
void AskPanel::setBudget(int tokens) { budget_->setValue(tokens); }
QString AskPanel::method() const { return method_->method(); }
int AskPanel::budget() const { return budget_->value(); }
bool AskPanel::isFollowUp() const { return followUp_->isEnabled() && followUp_->isChecked(); }
QString AskPanel::question() const { return box_->toPlainText().trimmed(); }

void AskPanel::setQuestion(const QString& question) {
  box_->setPlainText(question);
  box_->moveCursor(QTextCursor::End);
}

void AskPanel::setObstacle(const QString& sentence) {
  obstacle_ = sentence;
  updateButtons();
}

void AskPanel::setConversation(std::vector<ExchangePointer> exchanges) {
  exchanges_ = std::move(exchanges);
  followUp_->setEnabled(!exchanges_.empty());
  render();
}

void AskPanel::setShown(qint64 exchange) {
  if (shown_ == exchange) return;
  shown_ = exchange;
  const int place = conversation_->verticalScrollBar()->value();
  render();
  conversation_->verticalScrollBar()->setValue(place);
}

void AskPanel::beginAnswer(const QString& question, const QString& asked, const QString& note) {
  isAnswering_ = true;
  pendingQuestion_ = question;
  pendingAsked_ = asked;
  pendingNote_ = note;
  pendingText_.clear();
  render();
  updateButtons();
}

void AskPanel::appendAnswer(const QString& piece) {
  pendingText_ += piece;
  QScrollBar* bar = conversation_->verticalScrollBar();
  const bool isAtEnd = bar->value() >= bar->maximum() - 4;
  QTextCursor end(conversation_->document());
  end.movePosition(QTextCursor::End);
  end.insertText(piece);
  if (isAtEnd) bar->setValue(bar->maximum());
}

void AskPanel::setStage(const QString& sentence, double share) {
  stage_->setText(sentence);
  stage_->setVisible(!sentence.isEmpty());
  progress_->setVisible(!sentence.isEmpty());
  progress_->setRange(0, share < 0 ? 0 : 1000);
  if (share >= 0) progress_->setValue(static_cast<int>(share * 1000));
}

void AskPanel::endAnswer() {
  isAnswering_ = false;
  updateButtons();
  render();
}

void AskPanel::announceAnswer() {
  conversation_->setAccessibleDescription(tr("The answer is there."));
  QAccessibleEvent alert(conversation_, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

void AskPanel::focusQuestion() { box_->setFocus(); }

void AskPanel::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) render();
}

void AskPanel::ask() {
  if (ask_->isEnabled()) Q_EMIT askWished(question());
}

void AskPanel::follow(const QUrl& url) {
  const ConversationLink link = parseLink(url.toString());
  const Exchange* exchange = find(link.exchange);
  if (!exchange) return;
  if (link.kind == ConversationLink::Kind::Again) Q_EMIT againWished(link.exchange);
  if (link.kind == ConversationLink::Kind::Show) Q_EMIT showWished(link.exchange);
  if (link.kind == ConversationLink::Kind::Edit) {
    setQuestion(exchange->question);
    box_->setFocus();
  }
  if (link.kind != ConversationLink::Kind::Mark) return;
  // A passage named without a sentence is shown where it has the question's words.
  if (link.sentence < 0) return Q_EMIT markActivated(link.exchange, link.rank, exchange->question);
  const std::vector<SentenceMark> marks = marksOf(exchange->answer, exchange->evidence);
  if (link.sentence >= static_cast<int>(marks.size())) return;
  const SentenceMark& mark = marks[static_cast<std::size_t>(link.sentence)];
  Q_EMIT markActivated(link.exchange, link.rank, exchange->answer.mid(mark.start, mark.end - mark.start));
}

void AskPanel::render() {
  QString html;
  for (const ExchangePointer& exchange : exchanges_)
    html += htmlOf(*exchange, exchange->number == shown_, palette());
  if (isAnswering_) html += htmlOfPending(pendingQuestion_, pendingAsked_, pendingNote_, palette());
  if (html.isEmpty())
    html = QStringLiteral("<p>%1</p>").arg(tr("Questions and answers appear here.").toHtmlEscaped());
  conversation_->setHtml(html);
  if (isAnswering_) {
    QTextCursor end(conversation_->document());
    end.movePosition(QTextCursor::End);
    end.insertText(pendingText_);
  }
  conversation_->verticalScrollBar()->setValue(conversation_->verticalScrollBar()->maximum());
}

void AskPanel::updateButtons() {
  ask_->setEnabled(!isAnswering_ && obstacle_.isEmpty() && !question().isEmpty());
  stop_->setEnabled(isAnswering_);
  if (!isAnswering_) {
    stage_->setText(obstacle_);
    stage_->setVisible(!obstacle_.isEmpty());
    progress_->hide();
  }
}

const Exchange* AskPanel::find(qint64 number) const {
  const auto found = std::find_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const ExchangePointer& exchange) { return exchange->number == number; });
  return found == exchanges_.end() ? nullptr : found->get();
}

}  // namespace kvasir
