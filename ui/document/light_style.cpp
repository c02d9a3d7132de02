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

QColor withAlpha(QColor color, int alpha) {
  color.setAlpha(alpha);
  return color;
}

// On black paper a fill must be denser to show, and lines brighter.
QColor fillOn(Paper paper, const QColor& color) { return withAlpha(color, paper == Paper::White ? 90 : 130); }

QColor lineOn(Paper paper, const Style& style) {
  return paper == Paper::White ? style.line : style.fill.lighter(115);
}

}  // namespace

QString nameOf(Light light) { return QCoreApplication::translate("kvasir::Light", styleOf(light).name); }

void paintLight(QPainter& painter, Light light, Paper paper, const QRectF& box) {
  const Style& style = styleOf(light);
  const QRectF area = box.adjusted(-1, -1, 1, 1);
  painter.fillRect(area, fillOn(paper, style.fill));
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(lineOn(paper, style), 1.5, style.edge == Edge::Dashed ? Qt::DashLine : Qt::SolidLine));
  if (style.edge == Edge::Under) {
    painter.drawLine(area.bottomLeft(), area.bottomRight());
  } else {
    painter.drawRect(area);
  }
}

void paintMatch(QPainter& painter, Paper paper, bool isCurrent, const QRectF& box) {
  painter.fillRect(box, fillOn(paper, isCurrent ? kCurrentMatch : kMatch));
  if (!isCurrent) return;
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(kCurrentMatch, 2));
  painter.drawRect(box.adjusted(-1, -1, 1, 1));
}

void paintSelection(QPainter& painter, const QColor& highlight, const QRectF& box) {
  painter.fillRect(box, withAlpha(highlight, 100));
}

QTextCharFormat textFormat(Light light, Paper paper) {
  const Style& style = styleOf(light);
  QTextCharFormat format;
  format.setBackground(fillOn(paper, style.fill));
  format.setUnderlineStyle(style.edge == Edge::Dashed   ? QTextCharFormat::DashUnderline
                           : style.edge == Edge::Around ? QTextCharFormat::WaveUnderline
                                                        : QTextCharFormat::SingleUnderline);
  format.setUnderlineColor(lineOn(paper, style));
  return format;
}

QTextCharFormat matchFormat(Paper paper, bool isCurrent) {
  QTextCharFormat format;
  format.setBackground(fillOn(paper, isCurrent ? kCurrentMatch : kMatch));
  if (isCurrent) format.setFontUnderline(true);
  return format;
}

}  // namespace kvasir
