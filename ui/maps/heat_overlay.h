#pragma once

#include "ui/maps/heat_plot.h"

namespace kvasir {

/// What lies over the maps of a plot: sections and pages above the first one, outlined and highlighted columns,
/// the cursor. On a layer of its own, so that a hovering mouse does not draw the maps again.
class HeatOverlay : public QCPAbstractItem {
  Q_OBJECT
 public:
  explicit HeatOverlay(HeatPlot* plot);

  double selectTest(const QPointF& point, bool onlySelectable, QVariant* details = nullptr) const override;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawSections(QCPPainter* painter, const QRectF& rect, double baseline) const;
  void drawPages(QCPPainter* painter, const QRectF& rect, double baseline) const;
  void drawColumns(QCPPainter* painter, const QRectF& rect) const;
  void drawCursor(QCPPainter* painter, std::size_t map) const;
  double sectionEnd(std::size_t index, double furthest) const;
  double pixel(double position) const;
  double columnPixel(int column) const;

  HeatPlot* plot_;
};

}  // namespace kvasir
