#pragma once

#include <QApplication>
#include <QContextMenuEvent>
#include <QMenu>
#include <QTest>

/// What a right click opens; null: nothing.
inline QMenu* openMenu(QWidget* widget, QPoint at) {
  QContextMenuEvent event(QContextMenuEvent::Mouse, at, widget->mapToGlobal(at));
  QApplication::sendEvent(widget, &event);
  return qobject_cast<QMenu*>(QApplication::activePopupWidget());
}

inline QAction* actionNamed(const QMenu* menu, const QString& text) {
  for (QAction* action : menu ? menu->actions() : QList<QAction*>()) {
    if (action->text().remove(QLatin1Char('&')) == text) return action;
  }
  return nullptr;
}

/// Right click, then a click on the action; false where there is no such action, or it is off.
inline bool chooseFromMenu(QWidget* widget, QPoint at, const QString& text) {
  QMenu* menu = openMenu(widget, at);
  QAction* action = actionNamed(menu, text);
  if (!action || !action->isEnabled()) return false;
  QTest::mouseClick(menu, Qt::LeftButton, Qt::NoModifier, menu->actionGeometry(action).center());
  return true;
}
