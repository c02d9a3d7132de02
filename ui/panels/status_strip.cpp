#include "ui/panels/status_strip.h"

#include <cmath>

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>

#include "ui/size_text.h"

namespace kvasir {

StatusStrip::StatusStrip(QWidget* parent) : QWidget(parent) {
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(6, 0, 6, 0);
  line->setSpacing(14);
  speed_ = addLabel(tr("Speed"), tr("Tokens per second of what is being done, or of the last answer."));
  firstToken_ = addLabel(tr("First token"), tr("From the question to the first word of its answer."));
  kv_ = addLabel(tr("KV"),
                 tr("Keys and values held in memory for the answer, and kept on disk for the document."));
  budget_ =
      addLabel(tr("Budget"), tr("KV entries the answer attended to, of those it was allowed, in each layer."));
  device_ = addLabel(tr("Device"), tr("What computes."));
  line->addStretch(1);
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);  // what has no room is left out
  coverage_ = new QProgressBar(this);
  coverage_->setAccessibleName(tr("Coverage"));
  coverage_->setRange(0, 100);
  coverage_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  more_ = new QPushButton(tr("Use more budget"), this);
  more_->setAccessibleName(tr("Use more budget and ask again"));
  more_->setToolTip(tr("Ask the last question again with twice the budget."));
  line->addWidget(coverage_);
  line->addWidget(more_);
  connect(more_, &QPushButton::clicked, this, &StatusStrip::moreBudgetWished);
  setValues({});
}

QLabel* StatusStrip::addLabel(const QString& name, const QString& explanation) {
  auto* label = new QLabel(this);
  label->setAccessibleName(name);
  label->setToolTip(explanation);
  layout()->addWidget(label);
  return label;
}

void StatusStrip::setPart(QLabel* label, bool isKnown, const QString& text) {
  label->setText(isKnown ? text : QString());
}

void StatusStrip::setValues(const StatusValues& values) {
  values_ = values;
  const QLocale locale;
  setPart(speed_, values.tokensPerSecond > 0,
          tr("%1 tokens/s").arg(locale.toString(std::lround(values.tokensPerSecond))));
  setPart(firstToken_, values.firstTokenSeconds > 0,
          tr("first token %1 s").arg(locale.toString(values.firstTokenSeconds, 'f', 2)));
  setPart(kv_, values.kvBytesOnDisk > 0,
          tr("KV %1 in memory, %2 on disk").arg(asSize(values.kvBytesInMemory), asSize(values.kvBytesOnDisk)));
  setPart(budget_, values.budgetTokens > 0,
          tr("%1 of %2 attended")
              .arg(locale.toString(values.attendedTokens), locale.toString(values.budgetTokens)));
  setPart(device_, !values.device.isEmpty(), values.device);
  coverage_->setVisible(values.coverage.has_value());
  const int percent = values.coverage ? static_cast<int>(std::lround(*values.coverage * 100)) : 0;
  coverage_->setValue(percent);
  const int passages = values.isCoverageExact ? values.passagesReadAnew : 0;
  const bool isAtMost = values.isCoverageExact && values.isCoverageAtMost;
  const QString format = passages > 0 && isAtMost ? tr("Full attention: at most %1 % on %2 passages")
                         : passages > 0           ? tr("Full attention: %1 % on %2 passages")
                         : isAtMost               ? tr("Coverage at most %1 %, verified")
                         : values.isCoverageExact ? tr("Coverage %1 %, verified")
                                                  : tr("Coverage about %1 %");
  coverage_->setFormat(passages > 0 ? format.arg(percent).arg(passages) : format.arg(percent));
  coverage_->setToolTip(
      passages > 0
          ? tr("The answer was read anew from %n passages, and attended to nothing else. This is the share "
               "that full attention over the whole text puts on them: it looks elsewhere for the most part, at "
               "the text's beginning and end. A small share does not mean that passages are missing.",
               "", passages)
          : tr("The share of the model's attention that lies inside the chunks it was shown: estimated, "
               "and once it is verified against full attention exact, or the most it can be where chunks were "
               "seen in part."));
  more_->setVisible(values.canUseMore);
  fit();
}

void StatusStrip::fit() {
  coverage_->setMinimumWidth(coverage_->fontMetrics().horizontalAdvance(coverage_->text()) + 24);
  QStringList all;
  int needed = layout()->contentsMargins().left() + layout()->contentsMargins().right();
  const auto add = [&](const QWidget* part) {
    needed += std::max(part->sizeHint().width(), part->minimumWidth()) + layout()->spacing();
  };
  if (values_.coverage) add(coverage_);
  if (values_.canUseMore) add(more_);
  for (QLabel* label : {speed_, budget_, firstToken_, kv_, device_}) {
    if (!label->text().isEmpty()) add(label);
    label->setVisible(!label->text().isEmpty() && needed <= width());
  }
  for (const QLabel* label : {speed_, firstToken_, kv_, budget_, device_}) {
    if (!label->text().isEmpty()) all << label->text();
  }
  setToolTip(all.join(QLatin1Char('\n')));
}

void StatusStrip::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit();
}

void StatusStrip::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) fit();
}

}  // namespace kvasir
