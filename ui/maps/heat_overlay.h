#pragma once

#include "ui/maps/heat_plot.h"

namespace kvasir {

/// What lies over the maps of a plot: sections and pages above the uppermost, outlined and highlighted columns,
/// the cursor. On a layer of its own, so that a hovering mouse does not draw the maps again.
class HeatOverlay : public QCPAbstractItem {
  Q_OBJECT
 public:
  explicit HeatOverlay(HeatPlot* plot);

  double selectTest(const QPointF& point, bool onlySelectable, QVariant* details = nullptr) const override;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawHeader(QCPPainter* painter, const QCPAxisRect& map) const;
  void drawSections(QCPPainter* painter, const QCPAxisRect& map, double baseline) const;
  void drawPages(QCPPainter* painter, const QCPAxisRect& map, double baseline) const;
  void drawColumns(QCPPainter* painter, const QCPAxisRect& map) const;
  void drawCursor(QCPPainter* painter, std::size_t map) const;
  double sectionEnd(const QCPAxisRect& map, std::size_t index) const;
  static double pixel(const QCPAxisRect& map, double position);
  double columnPixel(const QCPAxisRect& map, int column) const;

  HeatPlot* plot_;
};

}  // namespace kvasir
