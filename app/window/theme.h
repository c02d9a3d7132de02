#pragma once

#include <QPalette>

#include "ui/panels/settings_dialog.h"

class QApplication;

namespace kvasir {

/// Gives the program its colours and font size. System is what the program had at its start.
class Look {
 public:
  explicit Look(QApplication& application);
  void apply(Theme theme, int fontPoints);

 private:
  QApplication& application_;
  QPalette palette_;
  QString style_;
  double points_;
};

QPalette darkPalette();
QPalette lightPalette();

}  // namespace kvasir
