#include "ui/maps/compare_panel.h"

#include <algorithm>
#include <utility>

#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QListWidget>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSplitter>
#include <QTableWidget>
#include <QVBoxLayout>

#include "ui/maps/chunk_strip.h"
#include "ui/maps/color_maps.h"
#include "ui/maps/evidence_overlap.h"
#include "ui/maps/value_scale.h"
#include "ui/size_text.h"

namespace kvasir {

class ComparePanel::Parts {
 public:
  explicit Parts(ComparePanel* panel);

  void setMethods(const std::vector<MethodInfo>& methods);
  void addMethod(const QString& name);
  void setEntries(std::vector<CompareEntry> entries);
  void setStage(const QString& sentence);
  void setBusy(bool isBusy);
  QStringList chosen() const;

 private:
  QWidget* buildChoice();
  QWidget* buildResults();
  QWidget* buildOverlap();
  QWidget* buildColumn(int index);
  QFormLayout* buildFigures(const CompareEntry& entry);
  void showColumns();
  void showOverlap();
  void setOverlapCell(int row, int column, const std::optional<double>& part);
  void showReady();

  ComparePanel* panel_;
  std::vector<CompareEntry> entries_;
  bool isBusy_ = false;
  QListWidget* methods_ = nullptr;
  QPushButton* compare_ = nullptr;
  QLabel* stage_ = nullptr;
  QScrollArea* columns_ = nullptr;
  QWidget* overlapBox_ = nullptr;
  QTableWidget* overlap_ = nullptr;
  QObject context_;  // what is connected to it ends before the parts do
};

namespace {

constexpr int kColumnCharacters = 34;

QString answerText(const CompareEntry& entry) {
  if (!entry.failure.isEmpty()) return entry.failure;
  if (!entry.isRunning || !entry.answer.isEmpty()) return entry.answer;
  return entry.isWaiting ? ComparePanel::tr("Waiting for its turn…") : ComparePanel::tr("Answering…");
}

std::vector<TextRange> rangesOf(const CompareEntry& entry) {
  std::vector<TextRange> ranges;
  for (const CompareEvidence& chunk : entry.evidence) ranges.push_back(chunk.range);
  return ranges;
}

std::vector<StripSpan> spansOf(const CompareEntry& entry) {
  std::vector<StripSpan> spans;
  for (const CompareEvidence& chunk : entry.evidence)
    spans.push_back({chunk.range, std::max(chunk.share, 1e-9)});
  return spans;
}

QColor textColorOn(const QColor& background) {
  return qGray(background.rgb()) > 128 ? QColor(Qt::black) : QColor(Qt::white);
}

QString escaped(const QString& text) { return QStringLiteral("<p>%1</p>").arg(text.toHtmlEscaped()); }

QListWidgetItem* makeItem(const QString& name, const QString& toolTip, bool isChosen) {
  auto* item = new QListWidgetItem(name);
  item->setToolTip(toolTip);
  item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
  item->setCheckState(isChosen ? Qt::Checked : Qt::Unchecked);
  return item;
}

QLabel* boldLabel(const QString& text, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setTextFormat(Qt::PlainText);
  QFont font = label->font();
  font.setBold(true);
  label->setFont(font);
  return label;
}

}  // namespace

ComparePanel::Parts::Parts(ComparePanel* panel) : panel_(panel) {
  auto* rows = new QVBoxLayout(panel);
  rows->setContentsMargins(4, 4, 4, 4);
  auto* splitter = new QSplitter(Qt::Horizontal, panel);
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(buildChoice());
  splitter->addWidget(buildResults());
  splitter->setStretchFactor(1, 1);
  splitter->setSizes({170, 800});
  rows->addWidget(splitter);
  showColumns();
  showOverlap();
  showReady();
}

QWidget* ComparePanel::Parts::buildChoice() {
  auto* widget = new QWidget(panel_);
  auto* rows = new QVBoxLayout(widget);
  rows->setContentsMargins(0, 0, 0, 0);
  auto* label = new QLabel(tr("M&ethods"), widget);
  methods_ = new QListWidget(widget);
  methods_->setObjectName(QStringLiteral("compareMethods"));
  methods_->setAccessibleName(tr("Methods to compare"));
  methods_->setMinimumWidth(methods_->fontMetrics().averageCharWidth() * 22);
  label->setBuddy(methods_);
  compare_ = new QPushButton(widget);
  compare_->setObjectName(QStringLiteral("compareButton"));
  connect(methods_, &QListWidget::itemChanged, &context_, [this] { showReady(); });
  connect(compare_, &QPushButton::clicked, &context_, [this] {
    if (isBusy_) return Q_EMIT panel_->stopWished();
    Q_EMIT panel_->compareWished(chosen());
  });
  stage_ = new QLabel(widget);
  stage_->setObjectName(QStringLiteral("compareStage"));
  stage_->setTextFormat(Qt::PlainText);
  stage_->setWordWrap(true);
  stage_->hide();
  rows->addWidget(label);
  rows->addWidget(methods_, 1);
  rows->addWidget(stage_);
  rows->addWidget(compare_);
  return widget;
}

QWidget* ComparePanel::Parts::buildResults() {
  auto* splitter = new QSplitter(Qt::Vertical, panel_);
  splitter->setChildrenCollapsible(false);
  columns_ = new QScrollArea(splitter);
  columns_->setObjectName(QStringLiteral("compareColumns"));
  columns_->setAccessibleName(tr("Answers side by side"));
  columns_->setWidgetResizable(true);
  columns_->setFrameShape(QFrame::NoFrame);
  splitter->addWidget(columns_);
  splitter->addWidget(buildOverlap());
  splitter->setStretchFactor(0, 3);
  splitter->setStretchFactor(1, 1);
  splitter->setSizes({420, 180});
  return splitter;
}

QWidget* ComparePanel::Parts::buildOverlap() {
  overlapBox_ = new QWidget(panel_);
  auto* rows = new QVBoxLayout(overlapBox_);
  rows->setContentsMargins(0, 0, 0, 0);
  auto* label = new QLabel(
      tr("Shared evidence: how much of the text that a row's method used, a column's method used too"),
      overlapBox_);
  label->setWordWrap(true);
  overlap_ = new QTableWidget(overlapBox_);
  overlap_->setObjectName(QStringLiteral("overlapTable"));
  overlap_->setAccessibleName(tr("Shared evidence"));
  overlap_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  overlap_->setTabKeyNavigation(false);
  label->setBuddy(overlap_);
  rows->addWidget(label);
  rows->addWidget(overlap_, 1);
  return overlapBox_;
}

void ComparePanel::Parts::setMethods(const std::vector<MethodInfo>& methods) {
  const QStringList before = chosen();
  const QSignalBlocker blocker(methods_);
  methods_->clear();
  for (const MethodInfo& method : methods) {
    const QString name = QString::fromStdString(method.name);
    methods_->addItem(
        makeItem(name, escaped(QString::fromStdString(method.description)), before.contains(name)));
  }
  showReady();
}

void ComparePanel::Parts::addMethod(const QString& name) {
  if (!methods_->findItems(name, Qt::MatchExactly).isEmpty()) return;
  const std::string row(tableRowOf(name.toStdString()));
  const QList<QListWidgetItem*> rows = methods_->findItems(QString::fromStdString(row), Qt::MatchExactly);
  if (rows.isEmpty()) return;
  const QSignalBlocker blocker(methods_);
  methods_->insertItem(methods_->row(rows.front()) + 1, makeItem(name, rows.front()->toolTip(), false));
}

QStringList ComparePanel::Parts::chosen() const {
  QStringList names;
  for (int row = 0; row < methods_->count(); ++row) {
    if (methods_->item(row)->checkState() == Qt::Checked) names.append(methods_->item(row)->text());
  }
  return names;
}

void ComparePanel::Parts::showReady() {
  compare_->setText(isBusy_ ? tr("St&op") : tr("&Compare"));
  compare_->setAccessibleName(isBusy_ ? tr("Stop comparing") : tr("Compare the chosen methods"));
  compare_->setEnabled(isBusy_ || !chosen().isEmpty());
}

void ComparePanel::Parts::setStage(const QString& sentence) {
  stage_->setText(sentence);
  stage_->setVisible(!sentence.isEmpty());
}

void ComparePanel::Parts::setBusy(bool isBusy) {
  isBusy_ = isBusy;
  showReady();
}

void ComparePanel::Parts::setEntries(std::vector<CompareEntry> entries) {
  entries_ = std::move(entries);
  showColumns();
  showOverlap();
}

void ComparePanel::Parts::showColumns() {
  auto* widget = new QWidget;
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(4, 0, 4, 0);
  row->setSpacing(12);
  for (int entry = 0; entry < static_cast<int>(entries_.size()); ++entry) row->addWidget(buildColumn(entry), 1);
  if (entries_.empty()) {
    auto* empty =
        new QLabel(tr("Choose methods at the left: the question is asked once with each of them."), widget);
    empty->setAlignment(Qt::AlignCenter);
    empty->setWordWrap(true);
    row->addWidget(empty);
  }
  columns_->setWidget(widget);  // takes the old one away
}

QWidget* ComparePanel::Parts::buildColumn(int index) {
  const CompareEntry& entry = entries_[static_cast<std::size_t>(index)];
  auto* widget = new QWidget;
  widget->setMinimumWidth(widget->fontMetrics().averageCharWidth() * kColumnCharacters);
  auto* rows = new QVBoxLayout(widget);
  rows->setContentsMargins(0, 0, 0, 0);
  auto* head = new QHBoxLayout;
  auto* maps = new QPushButton(tr("Show maps"), widget);
  maps->setAccessibleName(tr("Show maps and evidence of %1").arg(entry.method));
  maps->setToolTip(maps->accessibleName());
  maps->setEnabled(entry.hasMaps);
  connect(maps, &QPushButton::clicked, &context_, [this, index] { Q_EMIT panel_->mapsWished(index); });
  head->addWidget(boldLabel(entry.method, widget), 1);
  head->addWidget(maps);
  rows->addLayout(head);
  auto* answer = new QPlainTextEdit(answerText(entry), widget);
  answer->setReadOnly(true);
  answer->setTabChangesFocus(true);
  answer->setMinimumHeight(3 * answer->fontMetrics().lineSpacing());
  answer->setAccessibleName(tr("Answer of %1").arg(entry.method));
  rows->addWidget(answer, 1);
  auto* strip = new ChunkStrip(widget);
  strip->setSpans(spansOf(entry), entry.documentBytes);
  strip->setToolTip(tr("Where the evidence of this method lies in the document"));
  strip->setAccessibleName(tr("Evidence of %1 in the document").arg(entry.method));
  rows->addWidget(strip);
  rows->addLayout(buildFigures(entry));
  return widget;
}

QFormLayout* ComparePanel::Parts::buildFigures(const CompareEntry& entry) {
  const QLocale locale;
  const bool isKnown = !entry.isRunning && entry.failure.isEmpty();
  const auto seconds = [&](double value) {
    return tr("%1 s").arg(locale.toString(value, 'f', value < 10 ? 2 : 1));
  };
  auto* form = new QFormLayout;
  form->setHorizontalSpacing(12);
  form->setVerticalSpacing(2);
  const auto add = [&](const QString& name, const QString& value) {
    auto* label = new QLabel(isKnown ? value : QStringLiteral("–"));
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setAccessibleName(tr("%1 of %2").arg(name, entry.method));
    form->addRow(name, label);
  };
  add(tr("Time"), seconds(entry.totalSeconds));
  add(tr("First token"), seconds(entry.firstTokenSeconds));
  add(tr("KV memory"), asSize(static_cast<qint64>(entry.kvBytes)));
  add(tr("Chunks used"), locale.toString(static_cast<qulonglong>(entry.evidence.size())));
  return form;
}

void ComparePanel::Parts::showOverlap() {
  const int size = static_cast<int>(entries_.size());
  overlapBox_->setVisible(size > 1);
  QStringList names;
  for (const CompareEntry& entry : entries_) names.append(entry.method);
  overlap_->clear();
  overlap_->setRowCount(size);
  overlap_->setColumnCount(size);
  overlap_->setHorizontalHeaderLabels(names);
  overlap_->setVerticalHeaderLabels(names);
  for (int row = 0; row < size; ++row) {
    const std::vector<TextRange> own = rangesOf(entries_[static_cast<std::size_t>(row)]);
    for (int column = 0; column < size; ++column) {
      const std::vector<TextRange> other = rangesOf(entries_[static_cast<std::size_t>(column)]);
      setOverlapCell(row, column, other.empty() ? std::nullopt : sharedPart(own, other));
    }
  }
  overlap_->resizeColumnsToContents();
}

void ComparePanel::Parts::setOverlapCell(int row, int column, const std::optional<double>& part) {
  auto* item = new QTableWidgetItem;
  item->setText(part ? tr("%1 %").arg(QLocale().toString(100 * *part, 'f', 0)) : QStringLiteral("–"));
  item->setTextAlignment(Qt::AlignCenter);
  item->setToolTip(escaped(tr("%1 of the evidence of %2 is evidence of %3 too")
                               .arg(item->text(), entries_[static_cast<std::size_t>(row)].method,
                                    entries_[static_cast<std::size_t>(column)].method)));
  if (part && row != column) {
    const QColor background = colorAt(ColorMap::Viridis, *part);
    item->setBackground(background);
    item->setForeground(textColorOn(background));
  }
  overlap_->setItem(row, column, item);
}

ComparePanel::ComparePanel(QWidget* parent) : QWidget(parent), parts_(std::make_unique<Parts>(this)) {}

ComparePanel::~ComparePanel() = default;

void ComparePanel::setMethods(const std::vector<MethodInfo>& methods) { parts_->setMethods(methods); }

void ComparePanel::addMethod(const QString& name) { parts_->addMethod(name); }

void ComparePanel::setEntries(std::vector<CompareEntry> entries) { parts_->setEntries(std::move(entries)); }

void ComparePanel::setStage(const QString& sentence) { parts_->setStage(sentence); }

void ComparePanel::setBusy(bool isBusy) { parts_->setBusy(isBusy); }

QStringList ComparePanel::chosenMethods() const { return parts_->chosen(); }

}  // namespace kvasir
