#include "tests/app/window/window_walk.h"

#include <QAbstractButton>
#include <QAbstractItemModel>
#include <QAccessible>
#include <QApplication>
#include <QDropEvent>
#include <QHeaderView>
#include <QLabel>
#include <QMimeData>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QUrl>
#include <QWidget>

namespace {

/// Parts of Qt's own controls are reached through those.
bool isInner(const QWidget* widget) {
  const QString name = widget->objectName();
  if (name.startsWith(QLatin1String("qt_"))) return true;
  const QWidget* parent = widget->parentWidget();
  return parent && (parent->inherits("QAbstractSpinBox") || parent->inherits("QComboBox") ||
                    parent->inherits("QComboBoxPrivateContainer"));
}

QString nameOf(const QWidget* widget) {
  QString chain = QString::fromLatin1(widget->metaObject()->className());
  for (const QWidget* parent = widget->parentWidget(); parent; parent = parent->parentWidget())
    chain += QStringLiteral(" in ") + QString::fromLatin1(parent->metaObject()->className());
  return chain;
}

}  // namespace

void dropFiles(QWidget& window, const QStringList& files) {
  QMimeData data;
  QList<QUrl> urls;
  for (const QString& file : files) urls << QUrl::fromLocalFile(file);
  data.setUrls(urls);
  const QPoint middle = window.rect().center();
  QDragEnterEvent enter(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &enter);
  QDropEvent dropped(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &dropped);
}

void writeLongPdf(const QString& file, int pages) {
  static const QStringList kWords =
      QStringLiteral(
          "harbour ledger winter council timber engine valley letter bridge copper market "
          "signal garden ferry almanac witness quarry lantern treaty orchard")
          .split(QLatin1Char(' '));
  QPdfWriter writer(file);
  writer.setPageSize(QPageSize(QPageSize::A4));
  writer.setResolution(72);
  QPainter painter(&writer);
  painter.setFont(QFont(QStringLiteral("DejaVu Sans"), 10));
  unsigned state = 7;
  const auto word = [&] {
    state = state * 1664525U + 1013904223U;
    return kWords[static_cast<qsizetype>((state >> 16) % static_cast<unsigned>(kWords.size()))];
  };
  for (int page = 1; page <= pages; ++page) {
    if (page > 1) writer.newPage();
    for (int line = 1; line <= 40; ++line) {
      QString text = QStringLiteral("On page %1 the %2 of line %3 met").arg(page).arg(word()).arg(line);
      for (int more = 0; more < 5; ++more) text += QLatin1Char(' ') + word();
      painter.drawText(QPointF(40, 60 + 17 * line), text + QLatin1Char('.'));
    }
  }
}

QStringList controlsWithoutName(const QWidget& window) {
  QStringList found;
  for (QWidget* widget : window.findChildren<QWidget*>()) {
    if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible() || isInner(widget)) continue;
    QAccessibleInterface* accessible = QAccessible::queryAccessibleInterface(widget);
    if (!accessible || accessible->text(QAccessible::Name).isEmpty()) found << nameOf(widget);
  }
  return found;
}

QStringList cutTexts(const QWidget& window) {
  QStringList found;
  for (const QLabel* label : window.findChildren<QLabel*>()) {
    if (!label->isVisible() || label->text().isEmpty()) continue;
    const bool isCut = label->wordWrap() ? label->heightForWidth(label->width()) > label->height() + 1
                                         : label->sizeHint().width() > label->width() + 1;
    if (isCut) found << nameOf(label) + QStringLiteral(": ") + label->text();
  }
  for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
    if (!button->isVisible() || button->text().isEmpty()) continue;
    if (button->sizeHint().width() > button->width() + 1 &&
        button->minimumSizeHint().width() > button->width() + 1)
      found << nameOf(button) + QStringLiteral(": ") + button->text();
  }
  for (const QHeaderView* header : window.findChildren<QHeaderView*>()) {
    if (!header->isVisible() || header->orientation() != Qt::Horizontal) continue;
    for (int section = 0; section < header->count(); ++section) {
      const bool isShown =
          !header->isSectionHidden(section) && header->sectionViewportPosition(section) < header->width();
      if (isShown && header->sectionSizeHint(section) > header->sectionSize(section) + 1)
        found << nameOf(header) + QStringLiteral(": ") +
                     header->model()->headerData(section, Qt::Horizontal).toString();
    }
  }
  return found;
}
