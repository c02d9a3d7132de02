#include "app/needle_results.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

double meanOf(double sum, int rows) { return sum / std::max(rows, 1); }

std::string asPercent(double depth) {
  char text[24];
  std::snprintf(text, sizeof text, "%g %%", depth);
  return text;
}

std::string asCell(double found, double recall) {
  char text[24];
  std::snprintf(text, sizeof text, "%.2f/%.2f", found, recall);
  return text;
}

std::string padded(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

}  // namespace

Json toJson(const NeedleResult& result) {
  return {{"method", result.method},
          {"budget", result.budgetTokens},
          {"length", result.length},
          {"depth", result.depth},
          {"question", result.question},
          {"expected", result.expected},
          {"prediction", result.prediction},
          {"found", result.found},
          {"recall", result.recall},
          {"evidence_recall", result.evidence},
          {"tokens", {{"document", result.documentTokens}, {"attended", result.attendedTokens}}},
          {"seconds",
           {{"read", result.readSeconds},
            {"first_token", result.firstTokenSeconds},
            {"answer", result.answerSeconds}}},
          {"kv_bytes", result.kvBytes}};
}

void NeedleGrid::Sums::add(const NeedleResult& result) {
  add(Sums{1, result.found, result.recall, result.evidence, result.readSeconds, result.firstTokenSeconds,
           result.answerSeconds, static_cast<double>(result.documentTokens),
           static_cast<double>(result.kvBytes)});
}

void NeedleGrid::Sums::add(const Sums& other) {
  rows += other.rows;
  found += other.found;
  recall += other.recall;
  evidence += other.evidence;
  readSeconds += other.readSeconds;
  firstTokenSeconds += other.firstTokenSeconds;
  answerSeconds += other.answerSeconds;
  documentTokens += other.documentTokens;
  kvBytes += other.kvBytes;
}

NeedleCell NeedleGrid::cellOf(int length, double depth, const Sums& sums) {
  return {length, depth, sums.rows, meanOf(sums.found, sums.rows), meanOf(sums.recall, sums.rows)};
}

void NeedleGrid::add(const NeedleResult& result) { sums_[{result.length, result.depth}].add(result); }

std::vector<int> NeedleGrid::lengths() const {
  std::set<int> lengths;
  for (const auto& [place, sums] : sums_) lengths.insert(place.first);
  return {lengths.begin(), lengths.end()};
}

std::vector<double> NeedleGrid::depths() const {
  std::set<double> depths;
  for (const auto& [place, sums] : sums_) depths.insert(place.second);
  return {depths.begin(), depths.end()};
}

std::vector<NeedleCell> NeedleGrid::cells() const {
  std::vector<NeedleCell> cells;
  for (const auto& [place, sums] : sums_) cells.push_back(cellOf(place.first, place.second, sums));
  return cells;
}

NeedleCell NeedleGrid::all() const {
  Sums whole;
  for (const auto& [place, sums] : sums_) whole.add(sums);
  return cellOf(0, 0, whole);
}

Json NeedleGrid::summary() const {
  Sums whole;
  Json cells = Json::array();
  for (const auto& [place, sums] : sums_) {
    whole.add(sums);
    const NeedleCell cell = cellOf(place.first, place.second, sums);
    cells.push_back({{"length", cell.length},
                     {"depth", cell.depth},
                     {"rows", cell.rows},
                     {"tokens", meanOf(sums.documentTokens, sums.rows)},
                     {"found", cell.found},
                     {"recall", cell.recall},
                     {"first_token_seconds", meanOf(sums.firstTokenSeconds, sums.rows)},
                     {"kv_bytes", meanOf(sums.kvBytes, sums.rows)}});
  }
  return {{"rows", whole.rows},
          {"found", meanOf(whole.found, whole.rows)},
          {"recall", meanOf(whole.recall, whole.rows)},
          {"evidence_recall", meanOf(whole.evidence, whole.rows)},
          {"read_seconds", whole.readSeconds},
          {"answer_seconds", whole.answerSeconds},
          {"cells", std::move(cells)}};
}

std::string NeedleGrid::table() const {
  constexpr std::size_t kWidth = 11;
  const std::vector<double> depths = this->depths();
  std::string text = padded("length", kWidth);
  for (const double depth : depths) text += padded(asPercent(depth), kWidth);
  text += padded("all", kWidth) + "\n";
  for (const int length : lengths()) {
    Sums line;
    text += padded(withCommas(length), kWidth);
    for (const double depth : depths) {
      const auto found = sums_.find({length, depth});
      if (found == sums_.end()) {
        text += padded("-", kWidth);
        continue;
      }
      line.add(found->second);
      const NeedleCell cell = cellOf(length, depth, found->second);
      text += padded(asCell(cell.found, cell.recall), kWidth);
    }
    const NeedleCell cell = cellOf(length, 0, line);
    text += padded(asCell(cell.found, cell.recall), kWidth) + "\n";
  }
  return text;
}

}  // namespace kvasir
