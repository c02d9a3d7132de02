#include "ui/document/document_bar.h"

#include <QAction>
#include <QEvent>
#include <QLocale>
#include <QToolButton>
#include <array>

namespace kvasir {
namespace {

constexpr std::array kPercents{50, 75, 100, 125, 150, 200, 300, 400, 800};
constexpr int kIconSide = 20, kPageBoxCharacters = 6, kZoomCharacters = 9, kLongestName = 32;

}  // namespace

DocumentBar::DocumentBar(QWidget* parent)
    : QToolBar(parent), page_(new QLineEdit(this)), pages_(new QLabel(this)), zoom_(new QComboBox(this)) {
  setMovable(false);
  setIconSize({kIconSide, kIconSide});
  setAccessibleName(tr("Document tools"));
  setContextMenuPolicy(Qt::PreventContextMenu);
  if (auto* more = findChild<QToolButton*>(QStringLiteral("qt_toolbar_ext_button"))) {
    more->setAccessibleName(tr("More document tools"));
    more->setFocusPolicy(Qt::TabFocus);
  }
  setWidths();
}

void DocumentBar::setWidths() {
  const int character = fontMetrics().averageCharWidth(), frame = 2 * fontMetrics().height();
  page_->setFixedWidth(character * kPageBoxCharacters + frame);
  zoom_->setMinimumWidth(character * kZoomCharacters + frame);
}

void DocumentBar::changeEvent(QEvent* event) {
  QToolBar::changeEvent(event);
  if (event->type() == QEvent::FontChange) setWidths();
}

void DocumentBar::addButton(QAction* action) {
  addAction(action);
  QWidget* button = widgetForAction(action);
  button->setFocusPolicy(Qt::TabFocus);
  button->setAccessibleName(action->iconText());
}

void DocumentBar::addPageBox() {
  page_->setAccessibleName(tr("Page"));
  page_->setToolTip(tr("Go to the page with this number or printed label"));
  page_->setAlignment(Qt::AlignRight);
  page_->setMaxLength(kLongestName);
  pages_->setContentsMargins(4, 0, 4, 0);
  pages_->setAccessibleName(tr("Number of pages"));
  addWidget(page_);
  addWidget(pages_);
  connect(page_, &QLineEdit::returnPressed, this, [this] { Q_EMIT pageWished(page_->text()); });
}

void DocumentBar::addZoomBox() {
  zoom_->setEditable(true);
  zoom_->setInsertPolicy(QComboBox::NoInsert);
  zoom_->setAccessibleName(tr("Zoom"));
  zoom_->setToolTip(tr("Zoom"));
  zoom_->lineEdit()->setAccessibleName(tr("Zoom"));
  zoom_->addItem(tr("Fit width"), QVariant::fromValue(static_cast<int>(Fit::Width)));
  zoom_->addItem(tr("Fit page"), QVariant::fromValue(static_cast<int>(Fit::Page)));
  for (const int percent : kPercents) zoom_->addItem(tr("%1 %").arg(percent));
  addWidget(zoom_);
  connect(zoom_, &QComboBox::activated, this, [this](int row) { readZoom(zoom_->itemText(row)); });
  connect(zoom_->lineEdit(), &QLineEdit::returnPressed, this, [this] { readZoom(zoom_->currentText()); });
}

void DocumentBar::addSpace() {
  auto* space = new QWidget(this);
  space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  addWidget(space);
}

void DocumentBar::readZoom(const QString& text) {
  if (text == shownZoom_) return;  // a combo box reports Return more than once
  Q_EMIT left();
  const int row = zoom_->findText(text, Qt::MatchFixedString);
  const QVariant fit = row < 0 ? QVariant() : zoom_->itemData(row);
  if (fit.isValid()) return Q_EMIT fitWished(static_cast<Fit>(fit.toInt()));
  QString number = text;
  number.remove(u'%');
  bool isNumber = false;
  double percent = QLocale().toDouble(number.trimmed(), &isNumber);
  if (!isNumber) percent = QLocale::c().toDouble(number.trimmed(), &isNumber);
  Q_EMIT zoomWished(isNumber && percent > 0 ? percent / 100 : 0);
}

void DocumentBar::showPage(const QString& label, int index, int count) {
  if (!page_->hasFocus() || !page_->isModified()) page_->setText(label);
  const QString number = QLocale().toString(index + 1), all = QLocale().toString(count);
  const bool isCounted = label == QString::number(index + 1);
  pages_->setText(count == 0  ? QString()
                  : isCounted ? tr("of %1").arg(all)
                              : tr("(%1 of %2)").arg(number, all));
  page_->setEnabled(count > 0);
}

void DocumentBar::showZoom(double zoom) {
  shownZoom_ = tr("%1 %").arg(QLocale().toString(zoom * 100, 'f', 0));
  zoom_->setEditText(shownZoom_);
}

void DocumentBar::focusPageBox() {
  page_->setFocus(Qt::ShortcutFocusReason);
  page_->selectAll();
}

}  // namespace kvasir
