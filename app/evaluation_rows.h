#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kvasir {

/// A span of a text in Unicode code points, end exclusive.
struct CodePointSpan {
  std::size_t start = 0, end = 0;
};

/// One question of an evaluation file. For what the fields mean: the row format of the evaluation files.
struct EvaluationRow {
  std::string id, task, context, question;
  std::string metric;                ///< "f1_em", "any_substring", "choice"; empty when not given
  std::vector<std::string> answers;  ///< accepted
  std::vector<CodePointSpan> goldSpans;
  std::optional<std::int64_t> length;  ///< the length in tokens the row was made for; nothing for whole papers
};

/// Reads a file of one JSON object a line, plain or gzipped, row by row. Throws a sentence that names the line.
class EvaluationRows {
 public:
  explicit EvaluationRows(std::filesystem::path file);
  ~EvaluationRows();
  EvaluationRows(const EvaluationRows&) = delete;
  EvaluationRows& operator=(const EvaluationRows&) = delete;

  std::optional<EvaluationRow> next();  ///< empty lines are passed over

 private:
  struct Stream;
  std::optional<std::string> nextLine();

  std::filesystem::path file_;
  std::unique_ptr<Stream> stream_;
  int line_ = 0;
};

/// Which rows to ask: the first `limit`, or at most `each` of every task and length, spread evenly over them.
struct RowChoice {
  std::optional<std::size_t> limit;
  std::optional<std::size_t> each;
};

/// For each row of the file in order, whether it is chosen.
std::vector<bool> chooseRows(const std::filesystem::path& file, const RowChoice& choice);

}  // namespace kvasir
