#include <algorithm>

#include "app/window/evidence_of.h"
#include "app/window/workspace.h"
#include "engine/wishes.h"
#include "ui/document/document_view.h"
#include "ui/maps/evidence_panel.h"
#include "ui/maps/map_panel.h"
#include "ui/panels/answer_marks.h"
#include "ui/panels/ask_panel.h"
#include "ui/panels/main_window.h"

namespace kvasir {
namespace {

constexpr int kLitPassages = 12;  // on the pages; where all are lit, none is

/// The chunks of the innermost section that this one stands in, those below it included, by the marks on the
/// maps' axis.
std::vector<int> chunksOfSection(const Exchange& exchange, int chunk) {
  if (!exchange.maps || exchange.maps->sections.empty()) return {chunk};
  const auto& sections = exchange.maps->sections;
  const auto after = std::ranges::find_if(sections, [&](const AxisMark& mark) { return mark.chunk > chunk; });
  const auto isAbove = [&](const AxisMark& mark) { return mark.level <= std::prev(after)->level; };
  const auto next = after == sections.begin() ? after : std::find_if(after, sections.end(), isAbove);
  const int begin = after == sections.begin() ? 0 : std::prev(after)->chunk;
  const int end = next == sections.end() ? static_cast<int>(exchange.chunks.size()) : next->chunk;
  std::vector<int> chunks;
  for (int of = begin; of < end; ++of) chunks.push_back(of);
  return chunks;
}

}  // namespace

void Workspace::showRows() {
  std::vector<EvidenceRow> rows = shown_ ? shown_->evidence : std::vector<EvidenceRow>();
  std::vector<TextRange> lit;
  std::set<int> wished = pinned_;
  wished.insert(blocked_.begin(), blocked_.end());
  for (const EvidenceRow& row : rows) wished.erase(row.chunk);
  for (const int chunk : wished) {
    if (!shown_ || static_cast<std::size_t>(chunk) >= shown_->chunks.size()) continue;
    rows.push_back(rowOf(chunk));
    rows.back().rank = static_cast<int>(rows.size());
  }
  for (EvidenceRow& row : rows) {
    row.isPinned = pinned_.contains(row.chunk);
    row.isBlocked = blocked_.contains(row.chunk);
    if (row.layers > 0 && row.rank <= kLitPassages && isOpen(row.document)) lit.push_back(row.range);
  }
  document_->light(Light::Evidence, lit);
  evidence_->setRows(std::move(rows));
  showWishes();
}

void Workspace::showMaps() {
  if (!shown_ || !shown_->maps) return maps_->setMaps(nullptr);
  if (marked_.empty() || !open_) return maps_->setMaps(shown_->maps);
  auto maps = std::make_shared<AnswerMaps>(*shown_->maps);
  for (const TextRange& range : marked_) {
    for (const int chunk : chunksIn(QString::fromStdString(open_->record.id), range))
      maps->goldChunks.push_back(chunk);
  }
  maps_->setMaps(maps);
}

bool Workspace::isOpen(const QString& document) const {
  return open_ && QString::fromStdString(open_->record.id) == document;
}

void Workspace::revealIn(const QString& document, const TextRange& range) {
  if (!isOpen(document)) return goOnAt(document, range);
  focus_ = {range};
  document_->light(Light::Hovered, focus_);
  document_->reveal(range);
}

void Workspace::reveal(int chunk) {
  if (!shown_ || chunk < 0 || static_cast<std::size_t>(chunk) >= shown_->chunks.size()) return;
  const auto index = static_cast<std::size_t>(chunk);
  revealIn(documentOf(*shown_, index), shown_->chunks[index]);
}

void Workspace::followMark(qint64 number, int rank, const QString& sentence) {
  const ExchangePointer exchange = find(number);
  if (!exchange) return;
  if (exchange != shown_) show(exchange);
  for (const EvidenceRow& row : exchange->evidence) {
    if (row.rank != rank) continue;
    evidence_->highlight(row.chunk);
    maps_->highlight(row.chunk);
    revealIn(row.document, placeInRow(row, sentence));
    return;
  }
}

void Workspace::lightChunk(std::optional<int> chunk) {
  const auto index = static_cast<std::size_t>(chunk.value_or(-1));
  const bool isKnown = shown_ && index < shown_->chunks.size() && isOpen(documentOf(*shown_, index));
  document_->light(Light::Hovered, isKnown ? std::vector{shown_->chunks[index]} : focus_);
}

std::optional<int> Workspace::chunkAt(std::size_t byte) const {
  if (!shown_) return std::nullopt;
  for (std::size_t chunk = 0; chunk < shown_->chunks.size(); ++chunk) {
    const TextRange& range = shown_->chunks[chunk];
    if (range.start <= byte && byte < range.end && isOpen(documentOf(*shown_, chunk)))
      return static_cast<int>(chunk);
  }
  return std::nullopt;
}

/// Pins all chunks of the section that the chunk is in, found or not.
void Workspace::pinSection(int chunk) {
  if (shown_) wish(chunksOfSection(*shown_, chunk), Wish::Always);
}

std::vector<int> Workspace::chunksIn(const QString& document, const TextRange& range) const {
  std::vector<int> chunks;
  for (std::size_t chunk = 0; shown_ && chunk < shown_->chunks.size(); ++chunk) {
    const TextRange& place = shown_->chunks[chunk];
    if (place.start < range.end && range.start < place.end && documentOf(*shown_, chunk) == document)
      chunks.push_back(static_cast<int>(chunk));
  }
  return chunks;
}

void Workspace::wish(const std::vector<int>& chunks, Wish wish) {
  for (const int chunk : chunks) {
    pinned_.erase(chunk);
    blocked_.erase(chunk);
    if (wish == Wish::Always) pinned_.insert(chunk);
    if (wish == Wish::Never) blocked_.insert(chunk);
  }
  showRows();
}

/// Of a chunk that was not found but is pinned or blocked, so that this can be undone.
EvidenceRow Workspace::rowOf(int chunk) {
  const auto index = static_cast<std::size_t>(chunk);
  EvidenceRow row;
  row.chunk = chunk;
  row.document = documentOf(*shown_, index);
  row.range = shown_->chunks[index];
  const LibraryRow* asked = session_->row(row.document);
  if (asked && !shown_->chunkDocuments.empty()) row.title = asked->title;
  fill(row);
  return row;
}

/// Text and place of a row. Where its document is not open they come later, or the reason why they do not.
void Workspace::fill(EvidenceRow& row) {
  if (isOpen(row.document)) return fillPlace(*open_->document, row);
  const auto [text, isUnknown] = texts_.try_emplace(row.document);
  if (isUnknown) session_->loadText(row.document);
  row.text = text->second.failure;
  if (text->second.document) fillPlace(*text->second.document, row);
}

void Workspace::onText(const QString& document, const Text& text) {
  const auto wished = texts_.find(document);
  if (wished == texts_.end()) return;
  wished->second = text;
  showRows();
}

/// What can be wished of chunks: they must be known, and the method must heed it.
void Workspace::showWishes() {
  const auto deaf = [](const QString& method) {
    return tr("“%1” does not heed it: what it attends to is settled when the document is read.").arg(method);
  };
  const QString next = window_->ask()->method();
  const bool isKnown = shown_ && !shown_->chunks.empty();
  const QString obstacle = !takesWishes(next.toStdString()) ? deaf(next)
                           : isKnown                        ? QString()
                                     : tr("Ask a question first: its answer tells the document's chunks.");
  const bool isDeaf = shown_ && !takesWishes(shown_->method.toStdString());
  evidence_->setObstacles(obstacle, isDeaf ? deaf(shown_->method) : QString());
  maps_->setWishObstacle(obstacle);
  document_->setWishObstacle(obstacle);
}

void Workspace::mark(const TextRange& range) {
  const auto same = std::find(marked_.begin(), marked_.end(), range);
  same == marked_.end() ? marked_.push_back(range) : (void)marked_.erase(same);
  document_->light(Light::Marked, marked_);
  showMaps();
}

}  // namespace kvasir
