#include "ui/document/legend.h"

#include <QHBoxLayout>
#include <QLabel>
#include <algorithm>

namespace kvasir {
namespace {

class Swatch : public QWidget {
 public:
  Swatch(Light light, QWidget* parent) : QWidget(parent), light_(light) {
    const int height = fontMetrics().height();
    setFixedSize(2 * height, height);
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.fillRect(rect(), Qt::white);
    paintLight(painter, light_, Paper::White, QRectF(rect()).adjusted(3, 3, -3, -3));
  }

 private:
  Light light_;
};

}  // namespace

Legend::Legend(QWidget* parent) : QWidget(parent) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 3, 8, 3);
  for (const Light light : kLights) {
    auto* entry = new QWidget(this);
    auto* pair = new QHBoxLayout(entry);
    pair->setContentsMargins(0, 0, 12, 0);
    pair->addWidget(new Swatch(light, entry));
    pair->addWidget(new QLabel(nameOf(light), entry));
    row->addWidget(entry);
    entry->hide();
    entries_[static_cast<std::size_t>(light)] = entry;
  }
  row->addStretch();
  hide();
}

void Legend::setLit(Light light, bool isLit) {
  entries_[static_cast<std::size_t>(light)]->setVisible(isLit);
  // What is pointed at comes and goes with the pointer; the row must not make the pages jump with it.
  const auto isShown = [](const QWidget* entry) { return !entry->isHidden(); };
  const auto hovered = static_cast<std::size_t>(Light::Hovered);
  const bool isNeeded = std::any_of(entries_.begin(), entries_.end(), isShown);
  const bool isOnlyHovered =
      std::count_if(entries_.begin(), entries_.end(), isShown) == 1 && isShown(entries_[hovered]);
  if (!isOnlyHovered) setVisible(isNeeded);
}

}  // namespace kvasir
