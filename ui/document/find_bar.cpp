#include "ui/document/find_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLocale>
#include <QToolButton>

#include "ui/document/bar_icons.h"

namespace kvasir {
namespace {

constexpr int kLongestQuery = 500;

}  // namespace

FindBar::FindBar(QWidget* parent) : QWidget(parent), field_(new QLineEdit(this)), count_(new QLabel(this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 3, 6, 3);
  auto* label = new QLabel(tr("F&ind:"), this);
  label->setBuddy(field_);
  field_->setAccessibleName(tr("Find in the document"));
  field_->setMaxLength(kLongestQuery);
  field_->setClearButtonEnabled(true);
  field_->setMinimumWidth(fontMetrics().averageCharWidth() * 16);
  count_->setAccessibleName(tr("Matches"));
  row->addWidget(label);
  row->addWidget(field_, 1);
  row->addWidget(count_);
  const auto addButton = [&](BarIcon icon, const QString& name) {
    auto* button = new QToolButton(this);
    button->setIcon(barIcon(icon));
    button->setToolTip(name);
    button->setAccessibleName(name);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    row->addWidget(button);
    return button;
  };
  connect(addButton(BarIcon::Up, tr("Previous match")), &QToolButton::clicked, this,
          [this] { Q_EMIT stepWished(-1); });
  connect(addButton(BarIcon::Down, tr("Next match")), &QToolButton::clicked, this,
          [this] { Q_EMIT stepWished(1); });
  connect(addButton(BarIcon::Close, tr("Close the find bar")), &QToolButton::clicked, this, &FindBar::closed);
  connect(field_, &QLineEdit::textChanged, this, &FindBar::queryChanged);
}

void FindBar::open(const QString& words) {
  show();
  if (!words.isEmpty()) field_->setText(words.left(kLongestQuery));
  field_->selectAll();
  field_->setFocus(Qt::ShortcutFocusReason);
}

void FindBar::showCount(std::size_t current, std::size_t count, bool isSearching) {
  const QLocale locale;
  if (field_->text().simplified().isEmpty()) {
    count_->clear();
  } else if (count == 0) {
    count_->setText(isSearching ? tr("Searching…") : tr("Not found"));
  } else {
    count_->setText(
        tr("%1 of %2").arg(locale.toString(qulonglong{current}), locale.toString(qulonglong{count})));
  }
}

void FindBar::keyPressEvent(QKeyEvent* event) {
  const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
  if (event->key() == Qt::Key_Escape) return Q_EMIT closed();
  if (isEnter) return Q_EMIT stepWished(event->modifiers().testFlag(Qt::ShiftModifier) ? -1 : 1);
  QWidget::keyPressEvent(event);
}

}  // namespace kvasir
