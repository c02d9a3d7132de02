#include "tests/app/window/window_walk.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QApplication>
#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
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
  return found;
}
