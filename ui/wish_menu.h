#pragma once

#include <functional>

#include <QCoreApplication>
#include <QMenu>

namespace kvasir {

/// What is wished of chunks for the next question.
enum class Wish { Always, Never, None };

/// Adds what can be wished. With an obstacle it is off, and the tool tips say why.
inline void addWishes(QMenu* menu, const QString& obstacle, const std::function<void(Wish)>& tell) {
  const auto add = [&](const char* text, Wish wish) {
    QAction* action = menu->addAction(QCoreApplication::translate("Wishes", text));
    action->setEnabled(obstacle.isEmpty());
    action->setToolTip(obstacle);
    QObject::connect(action, &QAction::triggered, menu, [tell, wish] { tell(wish); });
  };
  menu->setToolTipsVisible(!obstacle.isEmpty());
  add(QT_TRANSLATE_NOOP("Wishes", "Al&ways attend"), Wish::Always);
  add(QT_TRANSLATE_NOOP("Wishes", "Ne&ver attend"), Wish::Never);
  add(QT_TRANSLATE_NOOP("Wishes", "&Let the method choose"), Wish::None);
}

}  // namespace kvasir
