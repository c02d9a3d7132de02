#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <QWidget>

#include "importers/document.h"
#include "ui/text_range.h"
#include "ui/wish_menu.h"

namespace kvasir {

/// What a lit range means: its colour and its line of the legend.
enum class Light { Evidence, Hovered, Marked };

/// Whether the zoom follows the window's size.
enum class Fit { None, Width, Page };

/// A place to come back to.
struct DocumentPlace {
  int page = 0;     ///< index; of a document without pages: index of the part shown (FlowParts)
  double top = 0;   ///< share of the page above the window's edge
  double zoom = 1;  ///< 1 is the printed size; what it is unless `fit` decides it
  Fit fit = Fit::None;
};

/// The document in the middle of the window: continuous pages (or sections of a book without pages), lit
/// ranges, selection, find, outline, thumbnails. Shows values and emits wishes.
class DocumentView : public QWidget {
  Q_OBJECT
 public:
  explicit DocumentView(QWidget* parent = nullptr);
  ~DocumentView() override;

  /// `document` with words and boxes; `file` is the PDF the pages are drawn from, may be gone (then text is
  /// shown). `complaint`: why no file is given, a sentence shown over it.
  void showDocument(std::shared_ptr<const Document> document, const QString& file,
                    const QString& complaint = {});
  void clear();

  /// Replaces the ranges lit in this way.
  void light(Light light, const std::vector<TextRange>& ranges);
  /// Scrolls so that the range's first box is in view; remembered for back().
  void reveal(const TextRange& range);

  DocumentPlace place() const;
  void goTo(const DocumentPlace& place);
  void setInverted(bool inverted);
  bool isInverted() const;
  void setWishObstacle(const QString& sentence);  ///< why nothing can be pinned or blocked; empty: it can

  /// What the reader has selected by mouse.
  std::optional<TextRange> selection() const;
  /// Where the parts of a range that are in view stand, in this widget's coordinates.
  std::vector<QRect> boxesInView(const TextRange& range) const;
  /// The widget's actions are its commands with their shortcuts (QWidget::actions), for the window's menus.

 Q_SIGNALS:
  void hovered(std::optional<std::size_t> byte);  ///< text under the pointer; nothing beside the text
  void placeChanged();
  void rangeMarked(TextRange range);  ///< the user's own marking (context menu: Mark for the maps)
  void wished(kvasir::TextRange range, kvasir::Wish wish);  ///< of a selection, a passage or a section
  void invertedChanged(bool inverted);

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kvasir
