#pragma once

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTabBar>
#include <QWidget>

namespace kvasir {

inline QAbstractButton* buttonNamed(const QWidget& widget, const QString& name) {
  for (QAbstractButton* button : widget.findChildren<QAbstractButton*>()) {
    if (button->accessibleName() == name) return button;
  }
  return nullptr;
}

/// Controls without an accessible name, or that the keyboard does not reach; parts of other controls left out.
inline QStringList controlsWithoutName(const QWidget& widget) {
  QStringList wrong;
  for (const QWidget* child : widget.findChildren<QWidget*>()) {
    const QWidget* owner = child->parentWidget();
    const bool isPart = qobject_cast<const QAbstractSpinBox*>(owner) ||
                        qobject_cast<const QAbstractItemView*>(owner) || qobject_cast<const QTabBar*>(owner) ||
                        qobject_cast<const QLineEdit*>(owner) || child->inherits("QComboBoxListView") ||
                        child->objectName().startsWith(QStringLiteral("qt_"));
    const bool isControl =
        qobject_cast<const QAbstractButton*>(child) || qobject_cast<const QComboBox*>(child) ||
        qobject_cast<const QLineEdit*>(child) || qobject_cast<const QAbstractSpinBox*>(child) ||
        qobject_cast<const QAbstractItemView*>(child) || qobject_cast<const QPlainTextEdit*>(child) ||
        qobject_cast<const QTabBar*>(child) || child->inherits("QCustomPlot");
    if (isPart || !isControl || qobject_cast<const QHeaderView*>(child)) continue;
    const bool isReached = child->focusPolicy() & Qt::TabFocus;
    if (child->accessibleName().isEmpty() || !isReached) {
      wrong.append(QStringLiteral("%1 %2").arg(QString::fromLatin1(child->metaObject()->className()),
                                               child->objectName()));
    }
  }
  return wrong;
}

}  // namespace kvasir
