#include "ui/panels/library_delegate.h"

#include <QApplication>
#include <QPainter>

#include "ui/panels/library_model.h"

namespace kvasir {
namespace {

constexpr int kMargin = 6;
constexpr int kBarHeight = 3;

void drawBar(QPainter& painter, const QRect& place, double share, const QPalette& palette, bool isSelected) {
  QColor rest = palette.color(isSelected ? QPalette::HighlightedText : QPalette::Text);
  rest.setAlphaF(0.25F);
  painter.fillRect(place, rest);
  QRect done = place;
  done.setWidth(static_cast<int>(place.width() * share));
  painter.fillRect(done, palette.color(isSelected ? QPalette::HighlightedText : QPalette::Highlight));
}

}  // namespace

LibraryDelegate::LibraryDelegate(const LibraryModel* model, const LibraryFilter* filter, QObject* parent)
    : QStyledItemDelegate(parent), model_(model), filter_(filter) {}

void LibraryDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
  const LibraryRow& row = model_->rowAt(filter_->mapToSource(index).row());
  QStyleOptionViewItem item = option;
  initStyleOption(&item, index);
  item.text.clear();
  const QStyle* style = item.widget ? item.widget->style() : QApplication::style();
  style->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);

  const bool isSelected = item.state.testFlag(QStyle::State_Selected);
  const QPalette::ColorRole ink = isSelected ? QPalette::HighlightedText : QPalette::Text;
  const QRect inside = option.rect.adjusted(kMargin, kMargin / 2, -kMargin, -kMargin / 2);
  painter->save();
  QFont titleFont = option.font;
  titleFont.setBold(row.key == openKey_);
  painter->setFont(titleFont);
  painter->setPen(option.palette.color(ink));
  const QFontMetrics titleMetrics(titleFont);
  QRect line(inside.left(), inside.top(), inside.width(), titleMetrics.lineSpacing());
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                    titleMetrics.elidedText(row.title, Qt::ElideRight, line.width()));
  line.moveTop(line.bottom() + 1);
  painter->setFont(option.font);
  if (!isSelected) {
    const bool isFailed = row.state == DocumentState::Failed;
    const bool isDark = option.palette.color(QPalette::Base).lightness() < 128;
    QColor quiet = option.palette.color(QPalette::Text);
    quiet.setAlphaF(0.7F);
    painter->setPen(isFailed ? (isDark ? QColor(255, 150, 130) : QColor(170, 30, 20)) : quiet);
  }
  const QString description = describeRowWithin(
      row, [&](const QString& text) { return option.fontMetrics.horizontalAdvance(text) <= line.width(); });
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                    option.fontMetrics.elidedText(description, Qt::ElideRight, line.width()));
  if (row.state == DocumentState::Importing || row.state == DocumentState::Reading)
    drawBar(*painter, {inside.left(), line.bottom() + 1, inside.width(), kBarHeight}, row.share, option.palette,
            isSelected);
  painter->restore();
}

QSize LibraryDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  return {option.fontMetrics.averageCharWidth() * 12,
          2 * option.fontMetrics.lineSpacing() + kMargin + kBarHeight + 3};
}

}  // namespace kvasir
