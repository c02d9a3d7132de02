#include "app/evaluation.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/answer_scores.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kEvidenceCounted = 16;
constexpr double kRounding = 1e-6;  // of shares of chunks that are summed
constexpr std::int64_t kNoLength = std::numeric_limits<std::int64_t>::max();  // sorts behind all lengths

double shareOf(int part, int whole) { return static_cast<double>(part) / std::max(whole, 1); }

std::string lengthName(std::int64_t length) { return length == kNoLength ? "whole" : std::to_string(length); }

/// What an answer saw of its chunks.
class Seen {
 public:
  Seen(const Answer& answer, const std::vector<ChunkRange>& chunks) : map_(answer.map), chunks_(chunks) {
    for (const PartlySeen& part : answer.parts) parts_[{part.layer, part.chunk}] = part.bytes;
  }

  /// Whether a layer saw any of a chunk as it is.
  bool isSeen(int layer, int chunk) const {
    if (!map_.attended[static_cast<std::size_t>(layer * map_.chunks + chunk)]) return false;
    const std::vector<ByteSpan>* part = partOf(layer, chunk);
    return !part || !part->empty();
  }

  /// Of a chunk's bytes, those that were seen: mean over the layers that saw any; 0 where none did.
  double share(int chunk) const {
    double sum = 0;
    int layers = 0;
    for (int layer = 0; layer < map_.layers; ++layer) {
      if (!isSeen(layer, chunk)) continue;
      const std::vector<ByteSpan>* part = partOf(layer, chunk);
      sum += part ? shareOfChunk(*part, chunk) : 1;
      ++layers;
    }
    return layers > 0 ? sum / layers : 0;
  }

  /// Of the chunks wanted, as ascending spans without overlaps; neighbours are joined.
  std::vector<ByteSpan> of(std::vector<int> wanted, int layer) const {
    std::sort(wanted.begin(), wanted.end());
    std::vector<ByteSpan> spans;
    for (int chunk : wanted) {
      if (chunk < 0 || chunk >= std::min(map_.chunks, static_cast<int>(chunks_.size()))) continue;
      for (const ByteSpan& seen : layer == PartlySeen::kEveryLayer ? byMost(chunk) : by(layer, chunk)) {
        if (!spans.empty() && seen.first <= spans.back().second) {
          spans.back().second = std::max(spans.back().second, seen.second);
        } else {
          spans.push_back(seen);
        }
      }
    }
    return spans;
  }

 private:
  /// What a layer saw of a chunk, where that is named; null: it was attended to as a whole or not at all.
  const std::vector<ByteSpan>* partOf(int layer, int chunk) const {
    for (const int named : {layer, PartlySeen::kEveryLayer})
      if (const auto part = parts_.find({named, chunk}); part != parts_.end()) return &part->second;
    return nullptr;
  }

  double shareOfChunk(const std::vector<ByteSpan>& part, int chunk) const {
    const ChunkRange& range = chunks_[static_cast<std::size_t>(chunk)];
    std::size_t bytes = 0;
    for (const auto& [start, end] : part) bytes += end - start;
    return static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(1, range.end - range.start));
  }

  /// By a layer that attended to the chunk: all of it where no part is named.
  std::vector<ByteSpan> by(int layer, int chunk) const {
    if (const std::vector<ByteSpan>* part = partOf(layer, chunk)) return *part;
    const ChunkRange& range = chunks_[static_cast<std::size_t>(chunk)];
    return range.start == range.end ? std::vector<ByteSpan>{} : std::vector<ByteSpan>{{range.start, range.end}};
  }

  /// By more than half of the layers that saw any of the chunk.
  std::vector<ByteSpan> byMost(int chunk) const {
    std::map<std::size_t, int> changes;  // by byte: how many layers more see what follows
    int layers = 0, seeing = 0;
    for (int layer = 0; layer < map_.layers; ++layer) {
      if (!isSeen(layer, chunk)) continue;
      ++layers;
      for (const auto& [start, end] : by(layer, chunk)) {
        ++changes[start];
        --changes[end];
      }
    }
    std::vector<ByteSpan> spans;
    for (const auto& [byte, change] : changes) {
      const bool wasMost = 2 * seeing > layers;
      seeing += change;
      const bool isMost = 2 * seeing > layers;
      if (isMost && !wasMost) spans.emplace_back(byte, byte);
      if (wasMost && !isMost) spans.back().second = byte;
    }
    return spans;
  }

  const EvidenceMap& map_;
  const std::vector<ChunkRange>& chunks_;
  std::map<std::pair<int, int>, std::vector<ByteSpan>> parts_;  ///< by layer and chunk
};

bool holdAll(const std::vector<ByteSpan>& covered, const std::vector<ByteSpan>& gold) {
  return std::all_of(gold.begin(), gold.end(), [&](const ByteSpan& span) {
    return std::any_of(covered.begin(), covered.end(), [&](const ByteSpan& part) {
      return part.first <= span.first && span.second <= part.second;
    });
  });
}

std::vector<ByteSpan> toBytes(const EvaluationRow& row) {
  const CodePointIndex index(row.context);
  std::vector<ByteSpan> spans;
  for (const CodePointSpan& span : row.goldSpans)
    spans.emplace_back(index.byteAt(span.start), index.byteAt(span.end));
  return spans;
}

std::vector<int> attendedInLayer(const EvidenceMap& map, int layer) {
  std::vector<int> chunks;
  for (int chunk = 0; chunk < map.chunks; ++chunk) {
    if (map.attended[static_cast<std::size_t>(layer * map.chunks + chunk)]) chunks.push_back(chunk);
  }
  return chunks;
}

/// As attendedChunks has it. room: in chunks.
std::vector<int> chooseAttended(const Answer& answer, const Seen& seen, int room) {
  const EvidenceMap& map = answer.map;
  struct Candidate {
    int chunk = 0, layers = 0;
    double score = -std::numeric_limits<double>::infinity();
  };
  std::vector<Candidate> candidates(static_cast<std::size_t>(map.chunks));
  for (int chunk = 0; chunk < map.chunks; ++chunk) {
    Candidate& candidate = candidates[static_cast<std::size_t>(chunk)];
    candidate.chunk = chunk;
    for (int layer = 0; layer < map.layers; ++layer) {
      candidate.layers += seen.isSeen(layer, chunk);
    }
  }
  for (const EvidenceChunk& evidence : answer.evidence) {
    if (evidence.chunk >= 0 && evidence.chunk < map.chunks) {
      candidates[static_cast<std::size_t>(evidence.chunk)].score = evidence.score;
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.layers, a.score) > std::pair(b.layers, b.score);
  });
  std::vector<int> chunks;
  double filled = 0;
  for (const Candidate& candidate : candidates) {
    const double share = seen.share(candidate.chunk);
    const bool isInBudget = candidate.layers == map.layers || filled + share <= room + kRounding;
    if (candidate.layers == 0 || !isInBudget) continue;
    filled += share;
    chunks.push_back(candidate.chunk);
  }
  std::sort(chunks.begin(), chunks.end());
  return chunks;
}

}  // namespace

std::vector<int> attendedChunks(const Answer& answer, const std::vector<ChunkRange>& chunks, int budgetTokens) {
  return chooseAttended(answer, Seen(answer, chunks), budgetChunksOf(chunks, budgetTokens));
}

int budgetChunksOf(const std::vector<ChunkRange>& chunks, int budgetTokens) {
  int chunkTokens = 1;
  for (const ChunkRange& chunk : chunks) chunkTokens = std::max(chunkTokens, chunk.tokens);
  return std::max(1, budgetTokens / chunkTokens);
}

GoldFound findSpans(const std::vector<ByteSpan>& gold, const Answer& answer,
                    const std::vector<ChunkRange>& chunks, int budgetTokens) {
  const Seen seen(answer, chunks);
  const auto isFoundIn = [&](const std::vector<int>& wanted, int layer = PartlySeen::kEveryLayer) {
    return holdAll(seen.of(wanted, layer), gold);
  };
  GoldFound found;
  found.inAttended = isFoundIn(chooseAttended(answer, seen, budgetChunksOf(chunks, budgetTokens)));
  for (int layer = 0; layer < answer.map.layers; ++layer) {
    found.inLayer.push_back(isFoundIn(attendedInLayer(answer.map, layer), layer));
  }
  std::vector<int> first;
  for (const EvidenceChunk& evidence : answer.evidence) {
    if (first.size() < kEvidenceCounted) first.push_back(evidence.chunk);
  }
  found.inEvidence = isFoundIn(first);
  return found;
}

std::optional<GoldFound> findGold(const EvaluationRow& row, const Answer& answer,
                                  const std::vector<ChunkRange>& chunks, int budgetTokens) {
  if (row.goldSpans.empty()) return std::nullopt;
  return findSpans(toBytes(row), answer, chunks, budgetTokens);
}

void judge(const EvaluationRow& row, RowResult& result) {
  const ScoringLanguage language = scoringLanguageOf(row.question);
  result.f1 = f1Of(result.prediction, row.answers, language);
  result.isExact = isExact(result.prediction, row.answers, language);
  result.contains = row.metric == "choice"
                        ? choosesAnswer(result.prediction, row.question, row.answers)
                        : containsAnswer(result.prediction, row.answers, language,
                                         row.metric == "any_substring" ? Parts::Characters : Parts::Words);
}

Json toJson(const RowResult& result) {
  Json json;
  json["id"] = result.id;
  json["method"] = result.method;
  json["model_fingerprint"] = result.model;
  json["asked"] = result.asked;
  json["budget"] = result.budgetTokens;
  json["task"] = result.task;
  json["length"] = result.length ? Json(*result.length) : Json(nullptr);
  json["prediction"] = result.prediction;
  json["f1"] = result.f1;
  json["exact"] = result.isExact;
  json["contains"] = result.contains;
  json["recall"] = result.gold ? Json(result.gold->inAttended) : Json(nullptr);
  json["evidence_recall"] = result.gold ? Json(result.gold->inEvidence) : Json(nullptr);
  json["recall_by_layer"] = result.gold ? Json(result.gold->inLayer) : Json(nullptr);
  json["tokens"] = {{"document", result.documentTokens},
                    {"question", result.questionTokens},
                    {"answer", result.answerTokens},
                    {"attended", result.attendedTokens}};
  json["seconds"] = {{"read", result.readSeconds},
                     {"first_token", result.firstTokenSeconds},
                     {"answer", result.answerSeconds}};
  json["kv_bytes"] = result.kvBytes;
  return json;
}

void Tally::Sums::add(const RowResult& result) {
  ++rows;
  f1 += result.f1;
  documentTokens += result.documentTokens;
  firstTokenSeconds += result.firstTokenSeconds;
  kvBytes += static_cast<double>(result.kvBytes);
  exact += result.isExact;
  contains += result.contains;
  if (!result.gold) return;
  ++withGold;
  attended += result.gold->inAttended;
  evidence += result.gold->inEvidence;
}

std::optional<RowResult> rowResultOf(const Json& json) {
  try {
    RowResult result;
    result.id = json.at("id");
    result.method = json.at("method");
    result.model = json.at("model_fingerprint");
    result.asked = json.at("asked");
    result.budgetTokens = json.at("budget");
    result.task = json.at("task");
    if (!json.at("length").is_null()) result.length = json.at("length").get<std::int64_t>();
    result.prediction = json.at("prediction");
    result.f1 = json.at("f1");
    result.isExact = json.at("exact");
    result.contains = json.at("contains");
    if (!json.at("recall").is_null())
      result.gold = {json.at("recall").get<bool>(), json.at("recall_by_layer").get<std::vector<bool>>(),
                     json.at("evidence_recall").get<bool>()};
    const Json &tokens = json.at("tokens"), &seconds = json.at("seconds");
    result.documentTokens = tokens.at("document");
    result.questionTokens = tokens.at("question");
    result.answerTokens = tokens.at("answer");
    result.attendedTokens = tokens.at("attended");
    result.readSeconds = seconds.at("read");
    result.firstTokenSeconds = seconds.at("first_token");
    result.answerSeconds = seconds.at("answer");
    result.kvBytes = json.at("kv_bytes");
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Json Tally::Sums::toJson() const {
  Json json;
  json["rows"] = rows;
  json["f1"] = f1 / std::max(rows, 1);
  json["exact"] = shareOf(exact, rows);
  json["contains"] = shareOf(contains, rows);
  json["recall"] = withGold > 0 ? Json(shareOf(attended, withGold)) : Json(nullptr);
  json["evidence_recall"] = withGold > 0 ? Json(shareOf(evidence, withGold)) : Json(nullptr);
  return json;
}

void Tally::add(const RowResult& result) {
  all_.add(result);
  byTask_[result.task].add(result);
  byLength_[result.task][result.length.value_or(kNoLength)].add(result);
  if (!result.gold) return;
  foundInLayer_.resize(std::max(foundInLayer_.size(), result.gold->inLayer.size()), 0);
  for (std::size_t layer = 0; layer < result.gold->inLayer.size(); ++layer) {
    foundInLayer_[layer] += result.gold->inLayer[layer];
  }
}

Json Tally::summary() const {
  Json json = all_.toJson();
  Json layers = Json::array();
  for (int found : foundInLayer_) layers.push_back(shareOf(found, all_.withGold));
  json["recall_by_layer"] = std::move(layers);
  Json tasks = Json::object();
  for (const auto& [task, sums] : byTask_) {
    tasks[task] = sums.toJson();
    Json& lengths = tasks[task]["by_length"] = Json::object();
    for (const auto& [length, part] : byLength_.at(task)) lengths[lengthName(length)] = part.toJson();
  }
  json["by_task"] = std::move(tasks);
  return json;
}

std::vector<LengthMeans> Tally::byLength() const {
  std::map<std::int64_t, Sums> all;
  for (const auto& [task, lengths] : byLength_)
    for (const auto& [length, part] : lengths) {
      Sums& sums = all[length];
      sums.rows += part.rows;
      sums.withGold += part.withGold;
      sums.attended += part.attended;
      sums.f1 += part.f1;
      sums.contains += part.contains;
      sums.documentTokens += part.documentTokens;
      sums.firstTokenSeconds += part.firstTokenSeconds;
      sums.kvBytes += part.kvBytes;
    }
  std::vector<LengthMeans> means;
  for (const auto& [length, sums] : all) {
    const double rows = sums.rows;
    means.push_back({static_cast<std::int64_t>(sums.documentTokens / rows), sums.rows, sums.f1 / rows,
                     shareOf(sums.contains, sums.rows), sums.firstTokenSeconds / rows, sums.kvBytes / rows,
                     sums.withGold > 0 ? std::optional(shareOf(sums.attended, sums.withGold)) : std::nullopt});
  }
  return means;
}

Json toJson(const LengthMeans& means) {
  return {{"tokens", means.tokens},
          {"rows", means.rows},
          {"f1", means.f1},
          {"contains", means.contains},
          {"recall", means.recall ? Json(*means.recall) : Json(nullptr)},
          {"first_token_seconds", means.firstTokenSeconds},
          {"kv_bytes", means.kvBytes}};
}

std::string tableOf(const std::vector<MethodCurve>& curves) {
  std::size_t width = 6;
  for (const MethodCurve& curve : curves) width = std::max(width, curve.name.size());
  const auto named = [&](const std::string& name) { return name + std::string(width - name.size(), ' '); };
  std::string text = named("method") + "   tokens  rows      f1  contains  recall  first token s   KV bytes\n";
  for (const MethodCurve& curve : curves)
    for (const LengthMeans& means : curve.points) {
      char recall[16] = "-", line[160];
      if (means.recall) std::snprintf(recall, sizeof recall, "%.3f", *means.recall);
      std::snprintf(line, sizeof line, "%9s %5d %7.3f %9.3f %7s %14.2f %10s\n",
                    withCommas(means.tokens).c_str(), means.rows, means.f1, means.contains, recall,
                    means.firstTokenSeconds, asBytes(static_cast<std::uint64_t>(means.kvBytes)).c_str());
      text += named(curve.name) + line;
    }
  return text;
}

std::string Tally::table() const {
  std::string text;
  const auto addLine = [&](const std::string& task, const std::string& length, const Sums& sums) {
    char recall[24] = "      –       –";
    if (sums.withGold > 0) {
      std::snprintf(recall, sizeof recall, "%7.3f %7.3f", shareOf(sums.attended, sums.withGold),
                    shareOf(sums.evidence, sums.withGold));
    }
    char line[160];
    std::snprintf(line, sizeof line, "%-32.32s %7s %5d %7.3f %7.3f %8.3f %s\n", task.c_str(), length.c_str(),
                  sums.rows, sums.f1 / std::max(sums.rows, 1), shareOf(sums.exact, sums.rows),
                  shareOf(sums.contains, sums.rows), recall);
    text += line;
  };
  char head[160];
  std::snprintf(head, sizeof head, "%-32s %7s %5s %7s %7s %8s %7s %7s\n", "task", "length", "rows", "f1",
                "exact", "contains", "recall", "in 16");
  text += head;
  for (const auto& [task, lengths] : byLength_) {
    for (const auto& [length, sums] : lengths) addLine(task, lengthName(length), sums);
    if (lengths.size() > 1) addLine(task, "all", byTask_.at(task));
  }
  addLine("all", "", all_);
  return text;
}

}  // namespace kvasir
