#pragma once

#include <QTextEdit>
#include <memory>

#include "ui/document/flow_parts.h"
#include "ui/document/highlights.h"
#include "ui/document/light_style.h"

namespace kvasir {

/// A book without pages as flowing text, one part laid out at a time. Turning the wheel or the page at a part's
/// end leads to the next.
class FlowView : public QTextEdit {
  Q_OBJECT
 public:
  static constexpr double kSmallestZoom = 0.4, kLargestZoom = 5;

  /// The highlights outlive the view.
  explicit FlowView(const Highlights* highlights, QWidget* parent = nullptr);

  void showBook(std::shared_ptr<const Document> document);
  void setPaper(Paper paper);

  void reveal(const TextRange& range);
  bool isInView(const TextRange& range) const;
  std::vector<QRect> boxesInView(const TextRange& range) const;  ///< in the viewport
  void refresh();                                                ///< after the highlights changed

  DocumentPlace place() const;
  void goTo(const DocumentPlace& place);
  int part() const { return part_; }
  int partCount() const { return parts_.count(); }
  std::size_t topByte() const;

  double zoom() const { return zoom_; }
  void setZoom(double zoom);

  std::optional<TextRange> selectedRange() const;

 Q_SIGNALS:
  void hovered(std::optional<std::size_t> byte);
  void placeChanged();
  void zoomChanged();

 protected:
  bool viewportEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void showPart(int part);
  void formatHeadings();
  void setMargins();
  void layOut();
  void scrollTo(int position, double shareOfView);
  QTextCursor cursorOf(int start, int end) const;
  TextRange inView() const;
  void addSelections(QList<ExtraSelection>& selections, const TextRange& range, const QTextCharFormat& format);
  void hover(QPointF position);
  bool turn(int direction);

  const Highlights* highlights_;
  std::shared_ptr<const Document> document_;
  FlowParts parts_;
  FlowText text_;
  int part_ = -1;
  double zoom_ = 1;
  Paper paper_ = Paper::White;
  bool isPlacing_ = false;
  std::optional<std::size_t> hovered_;
};

}  // namespace kvasir
