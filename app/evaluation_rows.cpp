#include "app/evaluation_rows.h"

#include <zlib.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::json;

/// Nothing for a missing field and for null.
const Json* fieldOf(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found == row.end() || found->is_null() ? nullptr : &*found;
}

std::string textOf(const Json& row, const char* name) {
  const Json* value = fieldOf(row, name);
  return value ? value->get<std::string>() : std::string();
}

EvaluationRow rowOf(const Json& json) {
  EvaluationRow row;
  const Json& id = json.at("id");
  row.id = id.is_string() ? id.get<std::string>() : id.dump();
  row.task = textOf(json, "task");
  row.context = json.at("context").get<std::string>();
  row.question = json.at("question").get<std::string>();
  row.metric = textOf(json, "metric");
  row.answers = json.at("answers").get<std::vector<std::string>>();
  if (const Json* spans = fieldOf(json, "gold_spans")) {
    for (const Json& span : *spans) {
      row.goldSpans.push_back({span.at(0).get<std::size_t>(), span.at(1).get<std::size_t>()});
    }
  }
  if (const Json* length = fieldOf(json, "length_tokens_target")) row.length = length->get<std::int64_t>();
  return row;
}

}  // namespace

struct EvaluationRows::Stream {
  gzFile file = nullptr;  // reads plain files as they are
  ~Stream() {
    if (file) gzclose(file);
  }
};

EvaluationRows::EvaluationRows(std::filesystem::path file)
    : file_(std::move(file)), stream_(std::make_unique<Stream>()) {
#ifdef _WIN32
  stream_->file = gzopen_w(file_.c_str(), "rb");
#else
  if (!std::filesystem::is_directory(file_)) stream_->file = gzopen(file_.c_str(), "rb");
#endif
  if (!stream_->file) throw std::runtime_error(utf8Of(file_) + " cannot be read; check that it exists.");
  gzbuffer(stream_->file, 1 << 18);
}

EvaluationRows::~EvaluationRows() = default;

std::optional<std::string> EvaluationRows::nextLine() {
  std::string line;
  std::array<char, 1 << 16> part;
  while (gzgets(stream_->file, part.data(), static_cast<int>(part.size()))) {
    line += part.data();
    if (!line.empty() && line.back() == '\n') break;
  }
  int error = Z_OK;
  gzerror(stream_->file, &error);
  if (error != Z_OK && error != Z_STREAM_END) {
    throw std::runtime_error(utf8Of(file_) + " is damaged after line " + std::to_string(line_) +
                             "; fetch or pack it again.");
  }
  if (line.empty()) return std::nullopt;
  ++line_;
  return line;
}

std::optional<EvaluationRow> EvaluationRows::next() {
  while (auto line = nextLine()) {
    if (line->find_first_not_of(" \t\r\n") == std::string::npos) continue;
    try {
      return rowOf(Json::parse(*line));
    } catch (const Json::exception& error) {
      throw std::runtime_error("Line " + std::to_string(line_) + " of " + utf8Of(file_) +
                               " is not a row with id, context, question and answers (" + error.what() + ").");
    }
  }
  return std::nullopt;
}

std::vector<bool> chooseRows(const std::filesystem::path& file, const RowChoice& choice) {
  std::map<std::pair<std::string, std::int64_t>, std::vector<std::size_t>> groups;
  std::size_t count = 0;
  EvaluationRows rows(file);
  while (!choice.limit || count < *choice.limit) {
    const auto row = rows.next();
    if (!row) break;
    groups[{row->task, row->length.value_or(-1)}].push_back(count++);
  }
  std::vector<bool> chosen(count, !choice.each);
  if (!choice.each) return chosen;
  for (const auto& [name, members] : groups) {
    const std::size_t wanted = std::min(*choice.each, members.size());
    for (std::size_t i = 0; i < wanted; ++i) chosen[members[i * members.size() / wanted]] = true;
  }
  return chosen;
}

}  // namespace kvasir
