#include "ui/panels/ask_panel.h"

#include <algorithm>

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QSpinBox>
#include <QTextBrowser>
#include <QTextCursor>
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
      method_(new QComboBox(this)),
      budget_(new QSpinBox(this)),
      followUp_(new QCheckBox(tr("&Follow-up"), this)),
      ask_(new QPushButton(tr("&Ask"), this)),
      stop_(new QPushButton(tr("&Stop"), this)) {
  name();
  layOut();
  connect(box_, &QuestionBox::askWished, this, &AskPanel::ask);
  connect(box_, &QuestionBox::stopWished, this, &AskPanel::stopWished);
  connect(box_, &QPlainTextEdit::textChanged, this, &AskPanel::updateButtons);
  connect(ask_, &QPushButton::clicked, this, &AskPanel::ask);
  connect(stop_, &QPushButton::clicked, this, &AskPanel::stopWished);
  connect(conversation_, &QTextBrowser::anchorClicked, this, &AskPanel::follow);
  connect(budget_, &QSpinBox::valueChanged, this, &AskPanel::budgetChanged);
  connect(method_, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT methodChanged(method()); });
  followUp_->setEnabled(false);
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
  method_->setAccessibleName(tr("Method of the question"));
  method_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  method_->setMinimumContentsLength(8);
  budget_->setAccessibleName(tr("Budget of the question in tokens"));
  budget_->setRange(kLeastBudget, kMostBudget);
  budget_->setSingleStep(kBudgetStep);
  budget_->setGroupSeparatorShown(true);
  budget_->setValue(2048);
  budget_->setToolTip(tr("KV entries a question may attend to, in each layer."));
  followUp_->setAccessibleName(tr("Follow-up"));
  followUp_->setToolTip(tr("The question refers to the last one: the model gets that and its answer too."));
  ask_->setAccessibleName(tr("Ask"));
  stop_->setAccessibleName(tr("Stop the answer"));
  stop_->setToolTip(tr("Stop and keep the text so far (Esc)."));
  ask_->setToolTip(tr("Ask the question (Enter)."));
}

void AskPanel::layOut() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(6, 6, 6, 6);
  column->addWidget(conversation_, 1);
  column->addWidget(stage_);
  column->addWidget(progress_);
  column->addWidget(box_);
  column->addWidget(makeSettings());
}

QWidget* AskPanel::makeSettings() {
  auto* row = new QWidget(this);
  auto* line = new QHBoxLayout(row);
  line->setContentsMargins(0, 0, 0, 0);
  auto* methodLabel = new QLabel(tr("&Method:"), row);
  methodLabel->setBuddy(method_);
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

void AskPanel::setMethods(const std::vector<MethodChoice>& methods) {
  const QString before = method();
  const QSignalBlocker quiet(method_);
  method_->clear();
  for (const MethodChoice& choice : methods) {
    method_->addItem(choice.name);
    method_->setItemData(method_->count() - 1, choice.description, Qt::ToolTipRole);
  }
  setMethod(before);
}

void AskPanel::setMethod(const QString& name) {
  if (const int index = method_->findText(name); index >= 0) method_->setCurrentIndex(index);
}

void AskPanel::setBudget(int tokens) { budget_->setValue(tokens); }
QString AskPanel::method() const { return method_->currentText(); }
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

void AskPanel::beginAnswer(const QString& question, const QString& note) {
  isAnswering_ = true;
  pendingQuestion_ = question;
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
  const std::vector<SentenceMark> marks = marksOf(exchange->answer, exchange->evidence);
  if (link.sentence < 0 || link.sentence >= static_cast<int>(marks.size())) return;
  const SentenceMark& mark = marks[static_cast<std::size_t>(link.sentence)];
  Q_EMIT markActivated(link.exchange, link.rank, exchange->answer.mid(mark.start, mark.end - mark.start));
}

void AskPanel::render() {
  QString html;
  for (const ExchangePointer& exchange : exchanges_)
    html += htmlOf(*exchange, exchange->number == shown_, palette());
  if (isAnswering_) html += htmlOfPending(pendingQuestion_, pendingNote_, palette());
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
