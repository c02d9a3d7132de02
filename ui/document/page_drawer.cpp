#include "ui/document/page_drawer.h"

#include <poppler-qt6.h>

#include <QFileInfo>
#include <QFontMetricsF>
#include <QPainter>

#include "ui/document/page_words.h"

namespace kvasir {
namespace {

constexpr double kPointsPerInch = 72;
constexpr int kFontPixels = 20;  // words are drawn at this size and then stretched to their boxes

bool isAborted(const QVariant& flag) { return flag.value<StaleFlag>()->load(); }

void drawStretched(QPainter& painter, const QFontMetricsF& metrics, const QRectF& box, const QString& text) {
  const double width = metrics.horizontalAdvance(text);
  if (width <= 0 || box.width() <= 0 || box.height() <= 0) return;
  painter.save();
  painter.translate(box.topLeft());
  painter.scale(box.width() / width, box.height() / metrics.height());
  painter.drawText(QPointF(0, metrics.ascent()), text);
  painter.restore();
}

QRectF rectOf(const Box& box) { return {QPointF(box.left, box.top), QPointF(box.right, box.bottom)}; }

void drawWord(QPainter& painter, const QFontMetricsF& metrics, const Word& word, const QString& text) {
  const QList<uint> codes = text.toUcs4();
  const bool isEach = static_cast<std::size_t>(codes.size()) == word.characters.size();
  if (writingOf(word) != Writing::Down || !isEach)
    return drawStretched(painter, metrics, rectOf(word.box), text);
  for (qsizetype i = 0; i < codes.size(); ++i) {
    const char32_t code = codes[i];
    drawStretched(painter, metrics, rectOf(word.characters[static_cast<std::size_t>(i)]),
                  QString::fromUcs4(&code, 1));
  }
}

}  // namespace

PageDrawer::PageDrawer() = default;
PageDrawer::~PageDrawer() = default;

void PageDrawer::open(std::shared_ptr<const Document> document, const QString& file, int generation) {
  document_ = std::move(document);
  generation_ = generation;
  pdf_.reset();
  const QString complaint = document_ == nullptr ? QString() : openFile(file);
  Q_EMIT opened(generation, complaint);
}

QString PageDrawer::openFile(const QString& file) {
  const QFileInfo info(file);
  if (!info.isFile()) {
    return tr("%1 is no longer where it was: its words are shown without its pictures.")
        .arg(info.fileName().isEmpty() ? tr("The file") : info.fileName());
  }
  // Poppler reports every fault of a damaged file; what the reader needs to know is said in the window.
  Poppler::setDebugErrorFunction([](const QString&, const QVariant&) {}, {});
  pdf_ = Poppler::Document::load(file);
  if (pdf_ == nullptr || pdf_->isLocked() || pdf_->numPages() <= 0) {
    const bool isLocked = pdf_ != nullptr && pdf_->isLocked();
    pdf_.reset();
    return isLocked ? tr("%1 is protected by a password: its words are shown without its pictures.")
                          .arg(info.fileName())
                    : tr("%1 cannot be opened as a PDF: its words are shown without its pictures.")
                          .arg(info.fileName());
  }
  pdf_->setRenderHint(Poppler::Document::Antialiasing);
  pdf_->setRenderHint(Poppler::Document::TextAntialiasing);
  return {};
}

void PageDrawer::draw(const DrawOrder& order) {
  DrawnTile tile{order, {}};
  if (!order.isStale->load() && order.generation == generation_ && document_ != nullptr) {
    tile.image = drawFromFile(order);
    if (tile.image.isNull() && !order.isStale->load()) tile.image = drawWords(*document_, order);
  }
  Q_EMIT drawn(tile);
}

QImage PageDrawer::drawFromFile(const DrawOrder& order) const {
  if (pdf_ == nullptr || order.key.page >= pdf_->numPages()) return {};
  const std::unique_ptr<Poppler::Page> page = pdf_->page(order.key.page);
  if (page == nullptr) return {};
  const double resolution = order.key.scale * kPointsPerInch;
  QImage image = page->renderToImage(resolution, resolution, order.rect.x(), order.rect.y(), order.rect.width(),
                                     order.rect.height(), Poppler::Page::Rotate0, nullptr, nullptr, isAborted,
                                     QVariant::fromValue(order.isStale));
  if (order.isStale->load()) return {};
  image.convertTo(QImage::Format_RGB32);
  return image;
}

QImage drawWords(const Document& document, const DrawOrder& order) {
  QImage image(order.rect.size(), QImage::Format_RGB32);
  if (image.isNull()) return image;
  image.fill(Qt::white);
  QPainter painter(&image);
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  QFont font;
  font.setPixelSize(kFontPixels);
  painter.setFont(font);
  painter.setPen(Qt::black);
  painter.translate(-order.rect.topLeft());
  painter.scale(order.key.scale, order.key.scale);
  const QFontMetricsF metrics(font);
  for (const Word& word : wordsOn(document, order.key.page)) {
    if (order.isStale->load()) return {};
    if (word.end < word.start || word.end > document.text.size()) continue;
    const std::string_view text = std::string_view(document.text).substr(word.start, word.end - word.start);
    drawWord(painter, metrics, word, QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())));
  }
  return image;
}

}  // namespace kvasir
