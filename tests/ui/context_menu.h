#pragma once

#include <QApplication>
#include <QContextMenuEvent>
#include <QMenu>
#include <QMenuBar>
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

/// A click on the action; false where there is no such action, or it is off.
inline bool chooseFrom(QMenu* menu, const QString& text) {
  QAction* action = actionNamed(menu, text);
  if (!action || !action->isEnabled()) return false;
  QTest::mouseClick(menu, Qt::LeftButton, Qt::NoModifier, menu->actionGeometry(action).center());
  return true;
}

/// Right click, then a click on the action.
inline bool chooseFromMenu(QWidget* widget, QPoint at, const QString& text) {
  return chooseFrom(openMenu(widget, at), text);
}

/// The same from a menu of the window's bar.
inline bool chooseFromBar(QMenuBar* bar, const QString& title, const QString& text) {
  for (QAction* action : bar->actions()) {
    if (action->text().remove(QLatin1Char('&')) != title) continue;
    QTest::mouseClick(bar, Qt::LeftButton, Qt::NoModifier, bar->actionGeometry(action).center());
    return chooseFrom(qobject_cast<QMenu*>(QApplication::activePopupWidget()), text);
  }
  return false;
}
