#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace kvasir {

/// What a method made of needles planted at one depth of a text of one length.
struct NeedleResult {
  std::string method;
  int budgetTokens = 0;
  int length = 0;    ///< tokens the text was made for
  double depth = 0;  ///< per cent
  std::string question, prediction;
  std::vector<std::string> expected;
  double found = 0;     ///< share of the expected strings that the answer holds
  double recall = 0;    ///< share of the needles asked for whose chunks are attended, as eval's recall
  double evidence = 0;  ///< the same in the first 16 chunks of the evidence
  int documentTokens = 0, attendedTokens = 0;
  double readSeconds = 0, firstTokenSeconds = 0, answerSeconds = 0;
  std::uint64_t kvBytes = 0;  ///< on disk and in memory
};

nlohmann::ordered_json toJson(const NeedleResult& result);

/// Means over the results of one length and depth.
struct NeedleCell {
  int length = 0;
  double depth = 0;
  int rows = 0;
  double found = 0, recall = 0;
};

/// A method's results by length and depth.
class NeedleGrid {
 public:
  explicit NeedleGrid(std::string name) : name_(std::move(name)) {}

  void add(const NeedleResult& result);

  const std::string& name() const { return name_; }
  std::vector<int> lengths() const;       ///< ascending
  std::vector<double> depths() const;     ///< ascending
  std::vector<NeedleCell> cells() const;  ///< by length, then by depth
  NeedleCell all() const;

  /// rows, found, recall, evidence_recall, seconds, kv_bytes and the cells.
  nlohmann::ordered_json summary() const;
  /// For people: a line a length, a column a depth; "1.00/1.00" is the answers' share and the chunks'.
  std::string table() const;

 private:
  struct Sums {
    int rows = 0;
    double found = 0, recall = 0, evidence = 0, readSeconds = 0, firstTokenSeconds = 0, answerSeconds = 0,
           documentTokens = 0, kvBytes = 0;
    void add(const NeedleResult& result);
    void add(const Sums& other);
  };
  static NeedleCell cellOf(int length, double depth, const Sums& sums);

  std::string name_;
  std::map<std::pair<int, double>, Sums> sums_;  ///< by length and depth
};

}  // namespace kvasir
