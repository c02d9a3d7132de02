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

using Documents = std::vector<AskedDocument>;

EvidenceRow rowOf(const Documents& documents, const AskSettings& settings, const EvidenceChunk& found,
                  int rank) {
  const AskedDocument& asked = documents[static_cast<std::size_t>(found.document)];
  EvidenceRow row;
  row.rank = rank;
  row.chunk = found.chunk;
  row.score = found.score;
  row.parts = found.parts;
  row.layers = found.layers;
  row.share = found.mass;
  row.document = QString::fromStdString(asked.id);
  if (documents.size() > 1) row.title = QString::fromStdString(asked.title);
  row.range = {found.start, found.end};
  fillPlace(*asked.document, row);
  row.isPinned = isIn(settings.pinnedChunks, found.chunk);
  row.isBlocked = isIn(settings.blockedChunks, found.chunk);
  return row;
}

std::vector<EvidenceRow> rowsOf(const Documents& documents, const Reading& reading, const AskSettings& settings,
                                const std::vector<EvidenceChunk>& evidence) {
  std::vector<EvidenceRow> rows;
  int rank = 0;
  for (const EvidenceChunk& found : evidence) rows.push_back(rowOf(documents, settings, found, ++rank));
  for (const std::vector<int>* chosen : {&settings.pinnedChunks, &settings.blockedChunks}) {
    for (const int chunk : *chosen) {
      const bool isThere =
          std::any_of(rows.begin(), rows.end(), [&](const EvidenceRow& row) { return row.chunk == chunk; });
      if (isThere || chunk < 0 || static_cast<std::size_t>(chunk) >= reading.chunks().size()) continue;
      const ChunkRange& range = reading.chunks()[static_cast<std::size_t>(chunk)];
      rows.push_back(
          rowOf(documents, settings, {chunk, 0, 0, 0, range.start, range.end, 1, range.document}, ++rank));
    }
  }
  return rows;
}

/// The chunk among those of one document that holds the byte, or the last one before it.
int chunkAt(const std::vector<ChunkRange>& chunks, int document, std::size_t byte) {
  int found = -1;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].document != document) continue;
    if (found >= 0 && chunks[i].start > byte) break;
    found = static_cast<int>(i);
  }
  return std::max(0, found);
}

void addMarks(const AskedDocument& asked, int index, bool isOneOfSeveral, const std::vector<ChunkRange>& chunks,
              AnswerMaps& maps) {
  // A document of which nothing was read has no place on the axis.
  const auto last =
      std::find_if(chunks.rbegin(), chunks.rend(), [&](const ChunkRange& c) { return c.document == index; });
  if (last == chunks.rend()) return;
  const int deeper = isOneOfSeveral ? 1 : 0;
  if (isOneOfSeveral)
    maps.sections.push_back({chunkAt(chunks, index, 0), QString::fromStdString(asked.title), 1});
  for (const Section& section : asked.document->sections) {
    if (section.start >= last->end && last->end > 0) break;
    maps.sections.push_back(
        {chunkAt(chunks, index, section.start), QString::fromStdString(section.title), section.level + deeper});
  }
  for (const Page& page : asked.document->pages) {
    if (page.start >= last->end && last->end > 0) break;
    maps.pages.push_back({chunkAt(chunks, index, page.start), QString::fromStdString(page.label), 0});
  }
}

/// Of a document that is half read, those that have been asked: the first ones.
std::vector<ChunkRange> askedChunks(const Reading& reading, const EvidenceMap& map) {
  std::vector<ChunkRange> chunks = reading.chunks();
  chunks.resize(std::min(chunks.size(), static_cast<std::size_t>(std::max(0, map.chunks))));
  return chunks;
}

}  // namespace

void fillPlace(const Document& document, EvidenceRow& row) {
  const std::size_t size = document.text.size();
  const std::size_t start = toBoundary(document.text, std::min(row.range.start, size));
  const std::size_t end = std::max(start, toBoundary(document.text, std::min(row.range.end, size)));
  row.range = {start, end};
  row.text = QString::fromUtf8(document.text.data() + start, static_cast<qsizetype>(end - start));
  const PassagePlace place = placeOf(document, start, end);
  row.section = QString::fromStdString(place.section);
  row.pages = pagesOf(place);
}

std::shared_ptr<AnswerMaps> mapsOf(const Documents& documents, const Reading& reading, EvidenceMap map) {
  const std::vector<ChunkRange> chunks = askedChunks(reading, map);
  auto maps = std::make_shared<AnswerMaps>();
  maps->method = QString::fromStdString(reading.method());
  maps->retrieved = std::move(map);
  for (const ChunkRange& chunk : chunks) maps->firstTokens.push_back(chunk.firstToken);
  maps->firstTokens.push_back(chunks.empty() ? 0 : chunks.back().firstToken + chunks.back().tokens);
  for (std::size_t i = 0; i < documents.size(); ++i)
    addMarks(documents[i], static_cast<int>(i), documents.size() > 1, chunks, *maps);
  return maps;
}

namespace {

/// Pages are told where they can only be of one document.
QStringList stepsOf(const Documents& documents, const Answer& answer) {
  const Document nowhere;
  QStringList lines;
  for (const AnswerStep& step : answer.steps)
    lines << QString::fromStdString(
        describeStep(documents.size() == 1 ? *documents.front().document : nowhere, step));
  return lines;
}

/// Of passages that are read anew the evidence tells how much of a chunk they are.
void fillSeenShare(Answer& answer) {
  EvidenceMap& map = answer.map;
  if (!map.seenShare.empty()) return;
  map.seenShare.assign(map.attended.begin(), map.attended.end());
  for (const EvidenceChunk& found : answer.evidence)
    for (int layer = 0; layer < map.layers; ++layer)
      map.seenShare[static_cast<std::size_t>(layer * map.chunks + found.chunk)] *=
          static_cast<float>(found.readShare);
}

}  // namespace

Exchange exchangeOf(const Documents& documents, const std::string& question, const Reading& reading,
                    const AskSettings& settings, Answer answer) {
  const std::vector<ChunkRange> chunks = askedChunks(reading, answer.map);
  Exchange exchange;
  exchange.document = QString::fromStdString(documents.front().id);
  if (documents.size() > 1) {
    for (const AskedDocument& asked : documents) exchange.documents << QString::fromStdString(asked.id);
  }
  exchange.question = QString::fromStdString(question);
  exchange.answer = QString::fromStdString(answer.text);
  exchange.steps = stepsOf(documents, answer);
  exchange.method = QString::fromStdString(settings.method);
  exchange.budgetTokens = settings.budgetTokens;
  exchange.attendedTokens = answer.attendedTokens;
  exchange.documentTokens = reading.tokens();
  exchange.readTokens = reading.tokensRead();
  exchange.answerTokens = answer.answerTokens;
  exchange.kvBytesInMemory = static_cast<qint64>(answer.kvBytesInMemory);
  exchange.kvBytesOnDisk = static_cast<qint64>(reading.bytesOnDisk());
  exchange.coverage = answer.coverage;
  exchange.logProbability = answer.logProbability;
  exchange.firstTokenSeconds = answer.firstTokenSeconds;
  exchange.totalSeconds = answer.totalSeconds;
  exchange.isCut = answer.stoppedByLimit;
  exchange.pinned = settings.pinnedChunks;
  exchange.blocked = settings.blockedChunks;
  exchange.evidence = rowsOf(documents, reading, settings, answer.evidence);
  for (const ChunkRange& chunk : chunks) {
    exchange.chunks.push_back({chunk.start, chunk.end});
    if (documents.size() > 1) exchange.chunkDocuments.push_back(chunk.document);
  }
  fillSeenShare(answer);
  const auto maps = mapsOf(documents, reading, std::move(answer.map));
  maps->looks = std::move(answer.looks);
  for (const AnswerLook& look : maps->looks)
    maps->lookTexts << QString::fromStdString(answer.text.substr(look.start, look.end - look.start));
  exchange.maps = maps;
  return exchange;
}

std::optional<CheckedCoverage> checkedCoverage(const EvidenceMap& full, const EvidenceMap& retrieved) {
  const std::size_t cells = static_cast<std::size_t>(full.layers) * static_cast<std::size_t>(full.chunks);
  if (cells == 0 || full.mass.size() != cells || retrieved.attended.size() != cells) return std::nullopt;
  const auto chunks = static_cast<std::size_t>(full.chunks);
  // Layers with a window of the model's own see the same part of a chunk both times.
  const auto seenIn = [cells](const EvidenceMap& map, std::size_t cell, float unknown) {
    return map.seenShare.size() == cells ? map.seenShare[cell] : unknown;
  };
  CheckedCoverage coverage;
  double sum = 0;
  for (std::size_t layer = 0; layer < cells / chunks; ++layer) {
    double all = 0, attended = 0;
    for (std::size_t cell = layer * chunks; cell < (layer + 1) * chunks; ++cell) {
      all += full.mass[cell];
      if (!retrieved.attended[cell] || full.mass[cell] <= 0) continue;
      attended += full.mass[cell];
      if (seenIn(retrieved, cell, 0) < seenIn(full, cell, 1)) coverage.isAtMost = true;
    }
    sum += all > 0 ? attended / all : 1;
  }
  coverage.share = sum / full.layers;
  return coverage;
}

}  // namespace kvasir
