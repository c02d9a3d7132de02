#include "ui/maps/chunk_strip.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <QImage>
#include <QPainter>

namespace kvasir {

std::vector<double> stripValues(const std::vector<StripSpan>& spans, std::size_t documentBytes, int pixels) {
  std::vector<double> values(static_cast<std::size_t>(std::max(pixels, 0)), 0);
  if (documentBytes == 0 || values.empty()) return values;
  const double scale = static_cast<double>(values.size()) / static_cast<double>(documentBytes);
  for (const StripSpan& span : spans) {
    if (!std::isfinite(span.value) || span.range.end <= span.range.start || span.range.start >= documentBytes)
      continue;
    const auto first = static_cast<std::size_t>(static_cast<double>(span.range.start) * scale);
    const auto last = static_cast<std::size_t>(std::ceil(static_cast<double>(span.range.end) * scale));
    for (std::size_t pixel = first; pixel < std::min(last, values.size()); ++pixel) {
      values[pixel] = std::max(values[pixel], span.value);
    }
  }
  return values;
}

ChunkStrip::ChunkStrip(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(tr("Where the evidence lies in the document"));
}

void ChunkStrip::setSpans(std::vector<StripSpan> spans, std::size_t documentBytes) {
  spans_ = std::move(spans);
  documentBytes_ = documentBytes;
  update();
}

QSize ChunkStrip::sizeHint() const { return {160, fontMetrics().height() + 6}; }

void ChunkStrip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const QRect place = rect().adjusted(0, 0, -1, -1);
  const int pixels = std::max(1, static_cast<int>(std::lround(place.width() * devicePixelRatioF())));
  const std::vector<double> values = stripValues(spans_, documentBytes_, pixels);
  double highest = 0;
  for (const double value : values) highest = std::max(highest, value);
  QImage line(pixels, 1, QImage::Format_RGB32);
  for (int pixel = 0; pixel < pixels; ++pixel) {
    const double value = values[static_cast<std::size_t>(pixel)];
    // What is evidence at all is told from what is none: it begins a third up the colours.
    const double position = value > 0 && highest > 0 ? 1.0 / 3 + value / highest * 2 / 3 : 0;
    line.setPixelColor(pixel, 0, colorAt(ColorMap::Viridis, position));
  }
  painter.drawImage(place, line);
  painter.setPen(palette().color(QPalette::Mid));
  painter.drawRect(place);
}

}  // namespace kvasir
