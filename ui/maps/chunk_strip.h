#pragma once

#include <cstddef>
#include <vector>

#include <QWidget>

#include "ui/maps/color_maps.h"
#include "ui/text_range.h"

namespace kvasir {

struct StripSpan {
  TextRange range;
  double value = 0;
};

/// The highest value of the spans that touch each of `pixels` equal parts of a document; 0 where there is none.
std::vector<double> stripValues(const std::vector<StripSpan>& spans, std::size_t documentBytes, int pixels);

/// A document as a narrow strip: where the evidence lies, coloured by value.
class ChunkStrip : public QWidget {
  Q_OBJECT
 public:
  explicit ChunkStrip(QWidget* parent = nullptr);

  void setSpans(std::vector<StripSpan> spans, std::size_t documentBytes);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  std::vector<StripSpan> spans_;
  std::size_t documentBytes_ = 0;
};

}  // namespace kvasir
