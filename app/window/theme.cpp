#include "app/window/theme.h"

#include <QApplication>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>

namespace kvasir {
namespace {

struct Colours {
  QColor window, text, base, alternate, button, mid, highlight, highlighted, link, disabled;
};

/// Fusion draws the outline of what can be ticked a little darker than the window, which in dark windows is
/// hardly seen. Here it has the text's colour, paler where it is not disabled. Rows of lists and trees that can
/// be ticked are drawn as check boxes.
class OutlinedFusion : public QProxyStyle {
 public:
  OutlinedFusion() : QProxyStyle(QStringLiteral("fusion")) {}

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    QProxyStyle::drawPrimitive(element, option, painter, widget);
    const bool isRound = element == PE_IndicatorRadioButton;
    if (!isRound && element != PE_IndicatorCheckBox) return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    // A curve is spread over more pixels than a straight line, and paler on each.
    painter->setPen(QPen(outlineOf(option->palette), isRound ? 1.4 : 1));
    painter->setBrush(Qt::NoBrush);
    // Each on the line where Fusion draws its own.
    const int width = option->rect.width();
    const double radius = (width + (width + 1) % 2) / 2.0 - 1;
    if (isRound)
      painter->drawEllipse(QPointF(option->rect.center() + QPoint(1, 1)), radius, radius);
    else
      painter->drawRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5));
    painter->restore();
  }

 private:
  static QColor outlineOf(const QPalette& palette) {
    QColor colour = palette.color(QPalette::WindowText);
    if (palette.currentColorGroup() != QPalette::Disabled) colour.setAlphaF(0.7F);
    return colour;
  }
};

QPalette paletteOf(const Colours& colours) {
  QPalette palette(colours.text, colours.button, colours.window.lighter(130), colours.window.darker(150),
                   colours.mid, colours.text, colours.text, colours.base, colours.window);
  palette.setColor(QPalette::AlternateBase, colours.alternate);
  palette.setColor(QPalette::Highlight, colours.highlight);
  palette.setColor(QPalette::HighlightedText, colours.highlighted);
  palette.setColor(QPalette::Link, colours.link);
  palette.setColor(QPalette::LinkVisited, colours.link);
  palette.setColor(QPalette::ToolTipBase, colours.alternate);
  palette.setColor(QPalette::ToolTipText, colours.text);
  QColor faint = colours.text;
  faint.setAlphaF(0.65F);
  palette.setColor(QPalette::PlaceholderText, faint);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    palette.setColor(QPalette::Disabled, role, colours.disabled);
  return palette;
}

}  // namespace

QPalette darkPalette() {
  return paletteOf({QColor(54, 57, 61), QColor(230, 232, 235), QColor(27, 29, 31), QColor(58, 62, 69),
                    QColor(70, 74, 80), QColor(82, 86, 92), QColor(53, 116, 240), Qt::white,
                    QColor(122, 174, 255), QColor(128, 132, 138)});
}

QPalette lightPalette() {
  return paletteOf({QColor(242, 242, 244), QColor(24, 26, 30), Qt::white, QColor(232, 237, 245),
                    QColor(236, 236, 238), QColor(178, 180, 186), QColor(38, 98, 217), Qt::white,
                    QColor(20, 82, 190), QColor(120, 122, 128)});
}

Look::Look(QApplication& application)
    : application_(application),
      palette_(application.palette()),
      style_(application.style()->objectName()),
      points_(application.font().pointSizeF()) {}

void Look::apply(Theme theme, int fontPoints) {
  if (theme == Theme::System && style_ != QStringLiteral("fusion"))
    application_.setStyle(style_);
  else
    application_.setStyle(new OutlinedFusion);  // the application's own from here on
  if (theme == Theme::System) application_.setPalette(palette_);
  if (theme == Theme::Light) application_.setPalette(lightPalette());
  if (theme == Theme::Dark) application_.setPalette(darkPalette());
  QFont font = application_.font();
  font.setPointSizeF(fontPoints > 0 ? fontPoints : points_);
  application_.setFont(font);
  // Platforms give the titles of docked panels a size of their own.
  application_.setFont(font, "QDockWidgetTitle");
}

}  // namespace kvasir
