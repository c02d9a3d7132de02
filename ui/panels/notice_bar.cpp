#include "ui/panels/notice_bar.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

namespace kvasir {

NoticeBar::NoticeBar(QWidget* parent)
    : QWidget(parent), label_(new QLabel(this)), action_(new QPushButton(this)) {
  setAutoFillBackground(true);
  setBackgroundRole(QPalette::ToolTipBase);
  setForegroundRole(QPalette::ToolTipText);
  label_->setForegroundRole(QPalette::ToolTipText);
  label_->setWordWrap(true);
  label_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* close = new QPushButton(tr("Close"), this);
  close->setAccessibleName(tr("Close the notice"));
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(10, 6, 10, 6);
  line->addWidget(label_, 1);
  line->addWidget(action_);
  line->addWidget(close);
  connect(close, &QPushButton::clicked, this, &QWidget::hide);
  connect(action_, &QPushButton::clicked, this, &NoticeBar::actionWished);
  hide();
}

void NoticeBar::tell(const QString& sentence, const QString& action) {
  label_->setText(sentence);
  action_->setText(action);
  action_->setAccessibleName(action);
  action_->setVisible(!action.isEmpty());
  show();
  QAccessibleEvent alert(label_, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

QString NoticeBar::sentence() const { return isVisibleTo(parentWidget()) ? label_->text() : QString(); }

}  // namespace kvasir
