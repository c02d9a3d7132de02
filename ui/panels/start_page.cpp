#include "ui/panels/start_page.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace kvasir {
namespace {

QLabel* addLine(QVBoxLayout* column, const QString& text, qreal scale) {
  auto* label = new QLabel(text);
  label->setWordWrap(true);
  label->setAlignment(Qt::AlignCenter);
  QFont font = label->font();
  font.setPointSizeF(font.pointSizeF() * scale);
  label->setFont(font);
  column->addWidget(label);
  return label;
}

}  // namespace

StartPage::StartPage(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(32, 32, 32, 32);
  column->setSpacing(12);
  column->addStretch(2);
  addLine(column, tr("Ask long documents, and see why"), 1.6);
  addLine(column,
          tr("Drop PDF, EPUB, Markdown, HTML or text files on this window, or whole folders. Each document is "
             "read once on this "
             "computer; nothing leaves it."),
          1.0);
  auto* add = new QPushButton(tr("Add documents…"), this);
  add->setAccessibleName(tr("Add documents"));
  auto* sample = new QPushButton(tr("Open the sample document"), this);
  sample->setAccessibleName(tr("Open the sample document"));
  column->addWidget(add, 0, Qt::AlignHCenter);
  column->addWidget(sample, 0, Qt::AlignHCenter);
  busy_ = addLine(column, {}, 1.0);
  column->addStretch(3);
  connect(add, &QPushButton::clicked, this, &StartPage::addWished);
  connect(sample, &QPushButton::clicked, this, &StartPage::sampleWished);
}

void StartPage::setBusy(const QString& sentence) { busy_->setText(sentence); }

}  // namespace kvasir
