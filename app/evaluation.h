#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/evaluation_rows.h"
#include "app/text.h"
#include "engine/engine.h"

namespace kvasir {

/// The chunks an answer may be said to rest on, ascending. Layers attend to different chunks, so: every chunk
/// that all layers attended to; then those that most layers attended to (ties: the better evidence score) as
/// long as they fit the budget's chunks in all. A chunk that was seen in part takes as much of these as was
/// seen of its bytes, mean over the layers that saw any; one that only beacons stood for was not seen. Where
/// all layers attend to one set this is that set; for full attention it is every chunk.
std::vector<int> attendedChunks(const Answer& answer, const std::vector<ChunkRange>& chunks, int budgetTokens);

/// Chunks of the budget: how many of the reading's (equal but for the last) go into it, one at least.
int budgetChunksOf(const std::vector<ChunkRange>& chunks, int budgetTokens);

/// Where stretches of the document were found: those given, or a row's gold spans; nothing for rows without
/// gold. Of chunks that were seen only in part, only that counts: by a layer, what any of its KV heads could
/// see; over all layers, what most of those saw that saw any of the chunk.
struct GoldFound {
  bool inAttended = false;    ///< every span lies in attendedChunks
  std::vector<bool> inLayer;  ///< the same by layer, in what that layer attended to
  bool inEvidence = false;    ///< the same in the first 16 chunks of the evidence
};
GoldFound findSpans(const std::vector<ByteSpan>& gold, const Answer& answer,
                    const std::vector<ChunkRange>& chunks, int budgetTokens);
std::optional<GoldFound> findGold(const EvaluationRow& row, const Answer& answer,
                                  const std::vector<ChunkRange>& chunks, int budgetTokens);

/// One row asked and judged.
struct RowResult {
  std::string id, task, prediction;
  std::string method;
  std::string model;  ///< its fingerprint
  std::string asked;  ///< names all else that decides the answer
  int budgetTokens = 0;
  std::optional<std::int64_t> length;
  double f1 = 0;
  bool isExact = false, contains = false;
  std::optional<GoldFound> gold;
  int documentTokens = 0, questionTokens = 0, answerTokens = 0, attendedTokens = 0;
  /// Reading counts for the first method that reads so: little for those whose reading that spares.
  double readSeconds = 0, firstTokenSeconds = 0, answerSeconds = 0;
  std::uint64_t kvBytes = 0;  ///< on disk and in memory
};

/// f1, isExact and contains of a prediction, by the row's metric.
void judge(const EvaluationRow& row, RowResult& result);

nlohmann::ordered_json toJson(const RowResult& result);
/// What `toJson` gave; nothing for what it did not give, as a line that was cut off.
std::optional<RowResult> rowResultOf(const nlohmann::ordered_json& json);

/// What the rows of one length gave, means over them: a point of the curves that compare methods.
struct LengthMeans {
  std::int64_t tokens = 0;  ///< of the documents, mean
  int rows = 0;
  double f1 = 0, contains = 0, firstTokenSeconds = 0, kvBytes = 0;
  std::optional<double> recall;  ///< of rows with gold
};
nlohmann::ordered_json toJson(const LengthMeans& means);

/// What one method gave at each length.
struct MethodCurve {
  std::string name;
  std::vector<LengthMeans> points;
};
/// For people: a line a method and length.
std::string tableOf(const std::vector<MethodCurve>& curves);

/// Sums rows up: overall, by task, and by length within a task.
class Tally {
 public:
  void add(const RowResult& result);
  /// rows, f1, exact, contains, recall (null when no row has gold), evidence_recall, recall_by_layer, by_task.
  nlohmann::ordered_json summary() const;
  /// The same for reading: a line a task and length.
  std::string table() const;
  /// By the length rows were made for, all tasks together; rows of whole documents last.
  std::vector<LengthMeans> byLength() const;

 private:
  struct Sums {
    int rows = 0, withGold = 0, exact = 0, contains = 0, attended = 0, evidence = 0;
    double f1 = 0, documentTokens = 0, firstTokenSeconds = 0, kvBytes = 0;
    void add(const RowResult& result);
    nlohmann::ordered_json toJson() const;
  };
  /// "4096", or "whole" where rows have no length of their own; in order of length.
  using ByLength = std::map<std::int64_t, Sums>;

  Sums all_;
  std::map<std::string, Sums> byTask_;
  std::map<std::string, ByLength> byLength_;
  std::vector<int> foundInLayer_;
};

}  // namespace kvasir
