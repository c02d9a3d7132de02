#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QString>

#include "ui/maps/binned_grid.h"
#include "ui/maps/color_maps.h"
#include "ui/maps/evidence_rows.h"
#include "ui/maps/plot_library.h"
#include "ui/maps/value_scale.h"

namespace kvasir {

/// One of the maps of a plot.
struct HeatMap {
  QString title;
  std::shared_ptr<const BinnedGrid> grid;
  ValueScale scale;
  std::shared_ptr<const BinnedGrid> attended;  ///< 1 where attended: the rest is dimmed; null: nothing is
};

/// The maps of one plot, all over the same columns, and what stands on their axes.
struct HeatSheet {
  std::vector<HeatMap> maps;
  QString rowAxis, columnAxis;
  std::vector<ScaleMark> scaleMarks;
  QString scaleTitle;
  std::vector<AxisMark> sections, pages;
  std::vector<int> outlined;    ///< columns
  bool hasProfile = false;      ///< a curve under a map of one row
  bool numbersColumns = false;  ///< columns are things with numbers (heads), not lengths
  bool isBeside = false;        ///< the maps stand from left to right, not one above the other

  std::size_t stacked() const { return isBeside ? 1 : maps.size(); }  ///< maps one above the other
  bool isUppermost(std::size_t map) const { return map == 0 || isBeside; }
};

struct HeatLook {
  ColorMap colors = ColorMap::Viridis;
  BinRule rule = BinRule::Maximum;
  bool hidesFirst = false;
};

struct HeatCell {
  int map = 0, row = 0, column = 0;
  friend bool operator==(const HeatCell&, const HeatCell&) = default;
};

class HeatOverlay;

/// Maps of rows by positions, one above the other on one position axis, or side by side. Positions are zoomed
/// (wheel, +, -) and panned (drag, Ctrl+arrows, Page Up and Down; Home shows all); a cursor follows the mouse
/// and the arrow keys. What is seen is binned to the pixels anew for each frame.
class HeatPlot : public QCustomPlot {
  Q_OBJECT
 public:
  explicit HeatPlot(QWidget* parent = nullptr);

  void setSheet(HeatSheet sheet);  ///< keeps the view and the cursor while the columns stay the same
  void setLook(const HeatLook& look);
  void highlight(std::optional<int> column);

  const HeatSheet& sheet() const { return sheet_; }
  const HeatLook& look() const { return look_; }
  std::optional<HeatCell> cursor() const { return cursor_; }
  void setCursorCell(std::optional<HeatCell> cell);
  std::pair<double, double> view() const { return {from_, to_}; }  ///< positions
  void setView(double from, double to);                            ///< kept within the columns
  void zoom(double factor, double around);                         ///< factor above 1: nearer
  void zoomAtCursor(double factor);
  void pan(double partOfView);
  void showAll();
  QRectF cellRect(const HeatCell& cell) const;  ///< in pixels, clipped to the plot

  /// Written whole or not at all; false: not.
  bool writePng(const QString& file);
  bool writeSvg(const QString& file);
  bool writePdf(const QString& file);

 Q_SIGNALS:
  void pointed(std::optional<kvasir::HeatCell> cell);  ///< by mouse or keys; nothing when the mouse leaves
  void activated(const kvasir::HeatCell& cell);
  void menuWished(const kvasir::HeatCell& cell, QPoint globalPosition);

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  friend class HeatOverlay;

  void buildLayout();
  void addRect(QCPLayoutGrid* grid, std::size_t index);
  bool hasPositions(std::size_t index) const;  ///< whether the axis of positions is written under this map
  void addProfile(QCPLayoutGrid* grid);
  void addScale();
  void applyColors();
  void colorAxis(QCPAxis* axis);
  void numberColumns(QCPAxis* axis);
  void applyGradient();
  void fillMaps();
  void fillMap(std::size_t index);
  void fillProfile(const std::vector<float>& values, const BinWindow& window);
  void moveCursor(int rows, int columns);
  bool moveByKey(int key, int step);
  bool panByKey(int key);
  std::optional<HeatCell> cellAt(const QPointF& point) const;
  void pointAt(std::optional<HeatCell> cell);
  int headerHeight() const;
  int binCount(const QCPAxisRect& rect) const;
  const BinnedGrid* firstGrid() const;
  void redrawOverlay();

  HeatSheet sheet_;
  HeatLook look_;
  double from_ = 0, to_ = 1;
  std::optional<HeatCell> cursor_;
  std::optional<int> highlighted_;
  std::optional<QPointF> pressed_;
  double pressedFrom_ = 0;
  bool isDragging_ = false, isExporting_ = false;
  double exportBins_ = 0;                // bins a pixel while a file is written; 0: as on the screen
  std::vector<QCPAxisRect*> rects_;      // owned by the plot's layout
  std::vector<QCPColorMap*> colorMaps_;  // owned by the plot
  struct Windows {
    BinWindow values, attended;
  };
  std::vector<Windows> windows_;  // one a map
  QCPColorScale* scale_ = nullptr;
  QCPMarginGroup* margins_ = nullptr;
  QCPAxisRect* profileRect_ = nullptr;
  QCPGraph* profile_ = nullptr;
  HeatOverlay* overlay_ = nullptr;
};

}  // namespace kvasir
