#pragma once

#include <QAbstractScrollArea>
#include <QBasicTimer>
#include <QElapsedTimer>

#include "ui/document/highlights.h"
#include "ui/document/light_style.h"
#include "ui/document/page_images.h"

namespace kvasir {

/// Continuous pages of a document with what is lit on them. One widget paints what is in view; there is none
/// for a page.
class PageView : public QAbstractScrollArea {
  Q_OBJECT
 public:
  static constexpr double kPixelsPerPoint = 96.0 / 72;  ///< at zoom 1
  static constexpr double kSmallestZoom = 0.05, kLargestZoom = 16;

  /// Both outlive the view.
  PageView(PageImages* images, const Highlights* highlights, QWidget* parent = nullptr);

  void showDocument(std::shared_ptr<const Document> document);
  void setPaper(Paper paper);
  PageImages* images() const { return images_; }

  void reveal(const TextRange& range);
  bool isInView(const TextRange& range) const;
  std::vector<QRect> boxesInView(const TextRange& range) const;  ///< in the viewport

  DocumentPlace place() const;
  void goTo(const DocumentPlace& place);
  int currentPage() const;  ///< the one being read: at a third of the view's height
  std::size_t topByte() const;

  double zoom() const { return scale_ / kPixelsPerPoint; }
  void setZoom(double zoom);
  Fit fit() const { return fit_; }
  void setFit(Fit fit);

  std::optional<TextRange> selection() const;
  void clearSelection();

 Q_SIGNALS:
  void hovered(std::optional<std::size_t> byte);
  void placeChanged();
  void zoomChanged();
  void selectionChanged();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void scrollContentsBy(int dx, int dy) override;
  bool viewportEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void timerEvent(QTimerEvent* event) override;

 private:
  struct PagePoint {
    int page = 0;
    QPointF point;  // points
  };

  QPointF origin() const;  // the stack's top left corner in the viewport
  QRectF rectOf(int page) const;
  QRectF inViewport(int page, const QRectF& box) const;
  PageStack::Span pagesInView() const;
  PagePoint pagePointAt(QPointF position) const;
  std::optional<std::size_t> caretNear(QPointF position) const;
  TextRange textOf(int page) const;

  double fittedScale() const;
  void setScale(double scale, QPointF fixed);
  void updateBars();
  void describePage();
  void keepPlace();
  void hover(QPointF position);
  void select(const TextRange& range);
  void extendSelection(QPointF position);

  void paintPage(QPainter& painter, int page);
  void paintTiles(QPainter& painter, int page, const QRect& area);
  void paintStandIns(QPainter& painter, int page, const QRect& area);
  void paintHighlights(QPainter& painter, int page);
  void wantTiles();

  PageImages* images_;
  const Highlights* highlights_;
  std::shared_ptr<const Document> document_;
  PageStack stack_;
  Paper paper_ = Paper::White;
  Fit fit_ = Fit::Width;
  double scale_ = kPixelsPerPoint;  // pixels of the widget a point
  DocumentPlace kept_;              // what stays in place when the size changes
  bool isPlacing_ = false;
  int described_ = -1;  // the page whose text a screen reader is given

  std::optional<std::size_t> hovered_;
  std::optional<std::size_t> anchor_;  // where the mouse went down
  TextRange anchorRange_;              // the word or paragraph a double or triple click took
  TextRange selection_;
  QElapsedTimer sinceDoubleClick_;
  QBasicTimer autoScroll_;
  QPointF pointer_;
};

}  // namespace kvasir
