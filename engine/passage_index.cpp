#include "engine/passage_index.h"

namespace kvasir {
namespace {

std::vector<Run> chunksOf(std::size_t tokens) {
  const auto total = static_cast<int>(tokens);
  std::vector<Run> chunks;
  for (int first = 0; first < total; first += kChunkTokens)
    chunks.push_back({first, std::min(first + kChunkTokens, total)});
  return chunks;
}

/// A file's index has rows of one length, those of the policy's entries: what a retriever keeps of a chunk
/// takes as many rows as it needs.
int rowsFor(int floats, std::uint32_t rowFloats) {
  return rowFloats == 0 ? 0 : (floats + static_cast<int>(rowFloats) - 1) / static_cast<int>(rowFloats);
}

/// Layers of the policy's own entries, which come first.
int layersBefore(const LoadedModel& model, const Method& method) {
  return keepsKv(method) ? model.shape.layers : 0;
}

std::vector<float> readIndex(ChunkStore& store, int firstRow, int chunks, int floats, std::uint32_t rowFloats) {
  const auto each = static_cast<std::size_t>(floats), row = static_cast<std::size_t>(rowFloats);
  std::vector<float> index(static_cast<std::size_t>(chunks) * each),
      rows(static_cast<std::size_t>(chunks) * row);
  for (std::size_t part = 0; part * row < each; ++part) {
    store.readIndex(firstRow + static_cast<int>(part), chunks, rows);
    const std::size_t count = std::min(row, each - part * row);
    for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk)
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(chunk * row), count,
                  index.begin() + static_cast<std::ptrdiff_t>(chunk * each + part * row));
  }
  return index;
}

/// The length of the index rows that a method's files have.
std::uint32_t rowFloatsOf(const LoadedModel& model, const Method& method, int budgetTokens, int floats) {
  const std::uint32_t own =
      keepsKv(method) ? TextRun::fileHeader(model, method, budgetTokens, 0).indexFloats : 0;
  return own > 0 ? own : static_cast<std::uint32_t>(floats);
}

}  // namespace

PassageFinder::PassageFinder(const LoadedModel& model, const Method& method, const ChunkedReading& reading)
    : text_(tokenTextOf(model, reading.storedTokens(), reading.finishedRuns())),
      retriever_(method.makePassages(model.findEmbedder())) {
  const int floats = retriever_->indexFloats();
  if (floats > 0)
    index_ = readIndex(reading.store(), layersBefore(model, method), reading.finished(), floats,
                       rowFloatsOf(model, method, reading.budgetTokens(), floats));
}

void makeRoomForPassages(const LoadedModel& model, const Method& method, ChunkFileHeader& header) {
  const int floats = method.makePassages(model.findEmbedder())->indexFloats();
  if (header.indexFloats == 0) {
    header.indexFloats = static_cast<std::uint32_t>(floats);
    header.layers = static_cast<std::uint32_t>(layersBefore(model, method));
  }
  header.layers += static_cast<std::uint32_t>(std::max(1, rowsFor(floats, header.indexFloats)));
}

PassageIndexer::PassageIndexer(const LoadedModel& model, const Method& method, ChunkFile& file)
    : file_(file),
      text_(tokenTextOf(model, file.tokens(), chunksOf(file.tokens().size()))),
      retriever_(method.makePassages(model.findEmbedder())),
      firstRow_(layersBefore(model, method)) {}

void PassageIndexer::add(int first, int end, const std::function<void()>& breathe) {
  const auto floats = static_cast<std::size_t>(retriever_->indexFloats());
  if (floats == 0 || first >= end) return;
  const std::vector<float> entries = retriever_->index(text_, {first, end}, breathe);
  const std::size_t rowFloats = file_.header().indexFloats;
  std::vector<float> row(rowFloats);
  for (int chunk = first; chunk < end; ++chunk) {
    const auto entry = std::span(entries).subspan(static_cast<std::size_t>(chunk - first) * floats, floats);
    for (std::size_t part = 0; part * rowFloats < floats; ++part) {
      const auto now = entry.subspan(part * rowFloats, std::min(rowFloats, floats - part * rowFloats));
      std::ranges::fill(row, 0.0f);
      std::ranges::copy(now, row.begin());
      file_.writeIndex(firstRow_ + static_cast<int>(part), chunk, row);
    }
  }
}

}  // namespace kvasir
