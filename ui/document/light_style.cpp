#include "ui/document/light_style.h"

#include <QCoreApplication>

namespace kvasir {
namespace {

enum class Edge { Under, Around, Dashed };

struct Style {
  const char* name;
  QColor fill, line;
  Edge edge;
};

const Style& styleOf(Light light) {
  static const std::array<Style, 3> styles{{
      {QT_TRANSLATE_NOOP("kvasir::Light", "Evidence"), QColor(0xE6, 0x9F, 0x00), QColor(0xB3, 0x6B, 0x00),
       Edge::Under},
      {QT_TRANSLATE_NOOP("kvasir::Light", "Pointed at"), QColor(0x56, 0xB4, 0xE9), QColor(0x00, 0x72, 0xB2),
       Edge::Around},
      {QT_TRANSLATE_NOOP("kvasir::Light", "Marked"), QColor(0x00, 0x9E, 0x73), QColor(0x00, 0x6E, 0x50),
       Edge::Dashed},
  }};
  return styles[static_cast<std::size_t>(light)];
}

const QColor kMatch(0xF0, 0xE4, 0x42), kCurrentMatch(0xD5, 0x5E, 0x00);

QColor mixed(const QColor& a, const QColor& b, double shareOfB) {
  const auto mix = [&](int x, int y) { return static_cast<int>(x + (y - x) * shareOfB); };
  return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

QColor tintOn(Paper paper, const QColor& color) {
  return paper == Paper::White ? mixed(color, Qt::white, 0.6) : mixed(color, Qt::black, 0.45);
}

QColor lineOn(Paper paper, const Style& style) {
  return paper == Paper::White ? style.line : style.fill.lighter(115);
}

/// Like a felt pen: the paper takes the colour and the letters keep their own.
void tint(QPainter& painter, Paper paper, const QColor& color, const QRectF& area) {
  painter.save();
  painter.setCompositionMode(paper == Paper::White ? QPainter::CompositionMode_Multiply
                                                   : QPainter::CompositionMode_Screen);
  painter.fillRect(area, tintOn(paper, color));
  painter.restore();
}

void outline(QPainter& painter, const QPen& pen, const QRectF& area) {
  painter.setBrush(Qt::NoBrush);
  painter.setPen(pen);
  painter.drawRect(area);
}

}  // namespace

QString nameOf(Light light) { return QCoreApplication::translate("kvasir::Light", styleOf(light).name); }

void paintLight(QPainter& painter, Light light, Paper paper, const QRectF& box) {
  const Style& style = styleOf(light);
  const QRectF area = box.adjusted(-1, -1, 1, 1);
  tint(painter, paper, style.fill, area);
  const QPen pen(lineOn(paper, style), 1.5, style.edge == Edge::Dashed ? Qt::DashLine : Qt::SolidLine);
  if (style.edge != Edge::Under) return outline(painter, pen, area);
  painter.setPen(pen);
  const bool isVertical = area.height() > 2 * area.width();
  painter.drawLine(isVertical ? area.topLeft() : area.bottomLeft(),
                   isVertical ? area.bottomLeft() : area.bottomRight());
}

void paintMatch(QPainter& painter, Paper paper, bool isCurrent, const QRectF& box) {
  tint(painter, paper, isCurrent ? kCurrentMatch : kMatch, box);
  const QColor line = isCurrent ? kCurrentMatch : paper == Paper::White ? kMatch.darker(200) : kMatch;
  outline(painter, QPen(line, isCurrent ? 2.5 : 1), box.adjusted(-1, -1, 1, 1));
}

void paintSelection(QPainter& painter, const QColor& highlight, const QRectF& box) {
  QColor shade = highlight;
  shade.setAlpha(100);
  painter.fillRect(box, shade);
}

QTextCharFormat textFormat(Light light, Paper paper) {
  const Style& style = styleOf(light);
  QTextCharFormat format;
  format.setBackground(tintOn(paper, style.fill));
  format.setUnderlineStyle(style.edge == Edge::Dashed   ? QTextCharFormat::DashUnderline
                           : style.edge == Edge::Around ? QTextCharFormat::WaveUnderline
                                                        : QTextCharFormat::SingleUnderline);
  format.setUnderlineColor(lineOn(paper, style));
  return format;
}

QTextCharFormat matchFormat(Paper paper, bool isCurrent) {
  QTextCharFormat format;
  format.setBackground(tintOn(paper, isCurrent ? kCurrentMatch : kMatch));
  if (isCurrent) format.setFontUnderline(true);
  return format;
}

}  // namespace kvasir
