#pragma once

#include <QStackedWidget>

#include "ui/document/flow_view.h"
#include "ui/document/page_view.h"

namespace kvasir {

/// The document itself, as pages or as flowing text; to what stands around it the two are one.
class ReadingArea : public QStackedWidget {
  Q_OBJECT
 public:
  ReadingArea(PageImages* images, const Highlights* highlights, QWidget* parent = nullptr);

  void showDocument(std::shared_ptr<const Document> document);
  bool isPaged() const { return currentWidget() == pages_; }

  void setPaper(Paper paper);
  Paper paper() const { return paper_; }
  void refresh();  ///< after the highlights changed
  void reveal(const TextRange& range);
  bool isInView(const TextRange& range) const;
  std::vector<QRect> boxesInView(const TextRange& range) const;  ///< in this widget

  DocumentPlace place() const;
  void goTo(const DocumentPlace& place);
  int currentPage() const;  ///< or part
  int pageCount() const;    ///< or parts
  std::size_t topByte() const;

  double zoom() const;
  void setZoom(double zoom);
  Fit fit() const;
  void setFit(Fit fit);

  std::optional<TextRange> selection() const;

 Q_SIGNALS:
  void hovered(std::optional<std::size_t> byte);
  void placeChanged();
  void zoomChanged();
  void selectionChanged();
  void menuWished(QPoint globalPosition);

 private:
  template <typename View>
  void connectView(View* view);

  std::shared_ptr<const Document> document_;
  Paper paper_ = Paper::White;
  PageView* pages_;
  FlowView* flow_;
};

}  // namespace kvasir
