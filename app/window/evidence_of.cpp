#include "app/window/evidence_of.h"

#include <algorithm>

#include "app/results.h"
#include "app/text.h"

namespace kvasir {
namespace {

QString pagesOf(const PassagePlace& place) {
  if (!place.label.empty()) return QString::fromStdString(place.label);
  if (place.firstPage == 0) return {};
  if (place.firstPage == place.lastPage) return QString::number(place.firstPage);
  return QStringLiteral("%1–%2").arg(place.firstPage).arg(place.lastPage);
}

bool isIn(const std::vector<int>& chunks, int chunk) {
  return std::find(chunks.begin(), chunks.end(), chunk) != chunks.end();
}

EvidenceRow rowOf(const Document& document, const AskSettings& settings, const EvidenceChunk& found, int rank) {
  EvidenceRow row;
  row.rank = rank;
  row.chunk = found.chunk;
  row.score = found.score;
  row.layers = found.layers;
  row.share = found.mass;
  const std::size_t start = toBoundary(document.text, std::min(found.start, document.text.size()));
  const std::size_t end = std::max(start, toBoundary(document.text, std::min(found.end, document.text.size())));
  row.range = {start, end};
  row.text = QString::fromUtf8(document.text.data() + start, static_cast<qsizetype>(end - start));
  const PassagePlace place = placeOf(document, start, end);
  row.section = QString::fromStdString(place.section);
  row.pages = pagesOf(place);
  row.isPinned = isIn(settings.pinnedChunks, found.chunk);
  row.isBlocked = isIn(settings.blockedChunks, found.chunk);
  return row;
}

std::vector<EvidenceRow> rowsOf(const Document& document, const Reading& reading, const AskSettings& settings,
                                const std::vector<EvidenceChunk>& evidence) {
  std::vector<EvidenceRow> rows;
  int rank = 0;
  for (const EvidenceChunk& found : evidence) rows.push_back(rowOf(document, settings, found, ++rank));
  for (const std::vector<int>* chosen : {&settings.pinnedChunks, &settings.blockedChunks}) {
    for (const int chunk : *chosen) {
      const bool isThere =
          std::any_of(rows.begin(), rows.end(), [&](const EvidenceRow& row) { return row.chunk == chunk; });
      if (isThere || chunk < 0 || static_cast<std::size_t>(chunk) >= reading.chunks().size()) continue;
      const ChunkRange& range = reading.chunks()[static_cast<std::size_t>(chunk)];
      rows.push_back(rowOf(document, settings, {chunk, 0, 0, 0, range.start, range.end}, ++rank));
    }
  }
  return rows;
}

/// The chunk that holds the byte, or the last one before it.
int chunkAt(const std::vector<ChunkRange>& chunks, std::size_t byte) {
  const auto after = std::upper_bound(chunks.begin(), chunks.end(), byte,
                                      [](std::size_t b, const ChunkRange& chunk) { return b < chunk.start; });
  return after == chunks.begin() ? 0 : static_cast<int>(after - chunks.begin()) - 1;
}

}  // namespace

std::shared_ptr<AnswerMaps> mapsOf(const Document& document, const Reading& reading, EvidenceMap map) {
  auto maps = std::make_shared<AnswerMaps>();
  maps->method = QString::fromStdString(reading.method());
  maps->retrieved = std::move(map);
  for (const ChunkRange& chunk : reading.chunks()) maps->firstTokens.push_back(chunk.firstToken);
  maps->firstTokens.push_back(reading.tokens());
  for (const Section& section : document.sections)
    maps->sections.push_back(
        {chunkAt(reading.chunks(), section.start), QString::fromStdString(section.title), section.level});
  for (const Page& page : document.pages)
    maps->pages.push_back({chunkAt(reading.chunks(), page.start), QString::fromStdString(page.label), 0});
  return maps;
}

Exchange exchangeOf(const std::string& id, const std::string& question, const Document& document,
                    const Reading& reading, const AskSettings& settings, Answer answer) {
  Exchange exchange;
  exchange.document = QString::fromStdString(id);
  exchange.question = QString::fromStdString(question);
  exchange.answer = QString::fromStdString(answer.text);
  exchange.method = QString::fromStdString(settings.method);
  exchange.budgetTokens = settings.budgetTokens;
  exchange.attendedTokens = answer.attendedTokens;
  exchange.documentTokens = reading.tokens();
  exchange.answerTokens = answer.answerTokens;
  exchange.coverage = answer.coverage;
  exchange.logProbability = answer.logProbability;
  exchange.firstTokenSeconds = answer.firstTokenSeconds;
  exchange.totalSeconds = answer.totalSeconds;
  exchange.isCut = answer.stoppedByLimit;
  exchange.pinned = settings.pinnedChunks;
  exchange.blocked = settings.blockedChunks;
  exchange.evidence = rowsOf(document, reading, settings, answer.evidence);
  for (const ChunkRange& chunk : reading.chunks()) exchange.chunks.push_back({chunk.start, chunk.end});
  exchange.maps = mapsOf(document, reading, std::move(answer.map));
  return exchange;
}

std::optional<double> exactCoverage(const EvidenceMap& full, const EvidenceMap& retrieved) {
  const std::size_t cells = static_cast<std::size_t>(full.layers) * static_cast<std::size_t>(full.chunks);
  if (cells == 0 || full.mass.size() != cells || retrieved.attended.size() != cells) return std::nullopt;
  const auto chunks = static_cast<std::size_t>(full.chunks);
  double sum = 0;
  for (std::size_t layer = 0; layer < cells / chunks; ++layer) {
    double all = 0, attended = 0;
    for (std::size_t cell = layer * chunks; cell < (layer + 1) * chunks; ++cell) {
      all += full.mass[cell];
      attended += retrieved.attended[cell] ? full.mass[cell] : 0;
    }
    sum += all > 0 ? attended / all : 1;
  }
  return sum / full.layers;
}

}  // namespace kvasir
