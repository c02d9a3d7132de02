#pragma once

#include <QWidget>
#include <array>

#include "ui/document/light_style.h"

namespace kvasir {

/// Says what the lit colours mean; there only while something is lit.
class Legend : public QWidget {
  Q_OBJECT
 public:
  explicit Legend(QWidget* parent = nullptr);
  void setLit(Light light, bool isLit);

 private:
  std::array<QWidget*, 3> entries_{};
};

}  // namespace kvasir
