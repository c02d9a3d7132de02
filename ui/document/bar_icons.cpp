#include "ui/document/bar_icons.h"

#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>
#include <QPalette>
#include <memory>

namespace kvasir {
namespace {

constexpr double kGrid = 24;

QPainterPath line(std::initializer_list<QPointF> points) {
  QPainterPath path(*points.begin());
  for (const QPointF& point : points) path.lineTo(point);
  return path;
}

QPainterPath lens() {
  QPainterPath path;
  path.addEllipse(QPointF(10, 10), 6, 6);
  path.addPath(line({{14.5, 14.5}, {20, 20}}));
  return path;
}

QPainterPath sheet(const QRectF& rect) {
  QPainterPath path;
  path.addRect(rect);
  return path;
}

QPainterPath fitPath(BarIcon icon) {
  if (icon == BarIcon::FitWidth) {
    QPainterPath path = line({{4, 4}, {4, 20}});
    path.addPath(line({{20, 4}, {20, 20}}));
    path.addPath(line({{7, 12}, {17, 12}}));
    path.addPath(line({{10, 9}, {7, 12}, {10, 15}}));
    path.addPath(line({{14, 9}, {17, 12}, {14, 15}}));
    return path;
  }
  QPainterPath path = sheet({6, 3, 12, 18});
  path.addPath(line({{12, 7}, {12, 17}}));
  path.addPath(line({{10, 9}, {12, 7}, {14, 9}}));
  path.addPath(line({{10, 15}, {12, 17}, {14, 15}}));
  return path;
}

QPainterPath pathOf(BarIcon icon) {
  QPainterPath path;
  switch (icon) {
    case BarIcon::Side:
      path = sheet({3, 5, 18, 14});
      path.addPath(line({{9, 5}, {9, 19}}));
      return path;
    case BarIcon::Back:
      path = line({{20, 12}, {5, 12}});
      path.addPath(line({{11, 6}, {5, 12}, {11, 18}}));
      return path;
    case BarIcon::Forward:
      path = line({{4, 12}, {19, 12}});
      path.addPath(line({{13, 6}, {19, 12}, {13, 18}}));
      return path;
    case BarIcon::ZoomOut:
    case BarIcon::ZoomIn:
      path = lens();
      path.addPath(line({{7.5, 10}, {12.5, 10}}));
      if (icon == BarIcon::ZoomIn) path.addPath(line({{10, 7.5}, {10, 12.5}}));
      return path;
    case BarIcon::FitWidth:
    case BarIcon::FitPage:
      return fitPath(icon);
    case BarIcon::Invert:
      path.addEllipse(QPointF(12, 12), 8, 8);
      return path;
    case BarIcon::Find:
      return lens();
    case BarIcon::Up:
      return line({{6, 15}, {12, 9}, {18, 15}});
    case BarIcon::Down:
      return line({{6, 9}, {12, 15}, {18, 9}});
    case BarIcon::Close:
      path = line({{6, 6}, {18, 18}});
      path.addPath(line({{18, 6}, {6, 18}}));
      return path;
  }
  return path;
}

class BarIconEngine : public QIconEngine {
 public:
  explicit BarIconEngine(BarIcon icon) : icon_(icon) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
    const QColor colour = QGuiApplication::palette().color(group, QPalette::ButtonText);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->translate(rect.topLeft());
    painter->scale(rect.width() / kGrid, rect.height() / kGrid);
    painter->setPen(QPen(colour, 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter->drawPath(pathOf(icon_));
    if (icon_ == BarIcon::Invert) {
      painter->setBrush(colour);
      painter->drawChord(QRectF(4, 4, 16, 16), 90 * 16, 180 * 16);
    }
    painter->restore();
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(), size), mode, state);
    return pixmap;
  }

  QIconEngine* clone() const override { return std::make_unique<BarIconEngine>(icon_).release(); }

 private:
  BarIcon icon_;
};

}  // namespace

QIcon barIcon(BarIcon icon) { return QIcon(std::make_unique<BarIconEngine>(icon).release()); }

}  // namespace kvasir
