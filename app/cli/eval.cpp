#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/scratch_readings.h"
#include "app/cli/setup.h"
#include "app/evaluation.h"
#include "app/memory.h"
#include "app/results.h"
#include "app/sha256.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// What every row is asked with.
struct Variant : MethodAtBudget {
  Tally tally;
  double readSeconds = 0, answerSeconds = 0;
};

/// Asks rows one after the other; rows in a run with the same context, and variants that read alike, share a
/// reading.
class RowAsker {
 public:
  RowAsker(const Arguments& arguments, Console& console)
      : arguments_(arguments),
        console_(console),
        engine_(loadEngine(arguments, console)),
        readings_(*engine_, arguments.stepTokens, console),
        adapter_(engine_->adapterId()) {
    checkMethods(*engine_, arguments, MethodUse::Answers);
  }

  /// Before these are asked in their order: no text is read densely twice because of it.
  void readAhead(const EvaluationRow& row, const std::vector<const Variant*>& variants) {
    std::vector<AskSettings> askings;
    for (const Variant* variant : variants) askings.push_back(askSettingsOf(arguments_, *variant));
    readings_.readAhead(row.context, askings);
  }

  /// asked: its `nameOf`.
  RowResult ask(const EvaluationRow& row, const Variant& variant, const std::string& asked) {
    RowResult result;
    result.asked = asked;
    result.id = row.id;
    result.task = row.task;
    result.length = row.length;
    result.method = variant.method;
    result.budgetTokens = variant.budgetTokens;
    const AskSettings asking = askSettingsOf(arguments_, variant);
    const auto [reading, readSeconds] = readings_.read(row.context, asking);
    result.readSeconds = readSeconds;
    const Answer answer = engine_->ask(*reading, row.question, asking, console_);
    result.prediction = answer.text;
    result.model = model().fingerprint;
    result.gold = findGold(row, answer, reading->chunks(), asking.budgetTokens);
    result.documentTokens = reading->tokens();
    result.questionTokens = answer.questionTokens;
    result.answerTokens = answer.answerTokens;
    result.attendedTokens = answer.attendedTokens;
    result.firstTokenSeconds = answer.firstTokenSeconds;
    result.answerSeconds = answer.totalSeconds;
    result.kvBytes = reading->bytesOnDisk() + answer.kvBytesInMemory;
    judge(row, result);
    return result;
  }

  const ModelInfo& model() const { return engine_->model(); }

  /// Names all that decides what is answered to a row, and how that is judged.
  std::string nameOf(const EvaluationRow& row, const Variant& variant) const {
    const AskSettings asking = askSettingsOf(arguments_, variant);
    const SamplerSettings& sampling = asking.sampling;
    Json json = {row.context,
                 row.question,
                 row.answers,
                 row.metric,
                 engine_->readingKey(engine_->readSettingsFor(asking)),
                 adapter_,
                 static_cast<int>(arguments_.precision),
                 asking.maxTokens,
                 asking.maxSteps,
                 sampling.temperature,
                 sampling.topK,
                 sampling.topP,
                 sampling.minP};
    if (sampling.temperature > 0) json.push_back(sampling.seed);
    return sha256Of(json.dump(-1, ' ', false, Json::error_handler_t::replace)).substr(0, 16);
  }

 private:
  const Arguments& arguments_;
  Console& console_;
  std::unique_ptr<Engine> engine_;
  ScratchReadings readings_;
  std::string adapter_;
};

/// Where each row's result goes as it comes; nowhere without a name. Where a run goes on, what it holds
/// already.
class RowsFile {
 public:
  RowsFile(const fs::path& file, bool goesOn, const std::string& model) : file_(file), model_(model) {
    if (file.empty()) return;
    std::error_code error;
    if (goesOn && fs::is_regular_file(file, error)) take(contentsOf(file));
    if (held_.empty()) {
      stream_.open(file, std::ios::binary | std::ios::trunc);
      check();
      return;
    }
    // What is held is written beside it first, so that nothing is lost where this ends early.
    const fs::path whole = fs::canonical(file), part = pathOf(utf8Of(whole) + ".part");
    stream_.open(part, std::ios::binary | std::ios::trunc);
    check();
    for (const auto& [key, result] : held_) write(result);
    stream_.close();
    check();
    fs::rename(part, whole, error);
    if (!error) stream_.open(whole, std::ios::binary | std::ios::app);
    check(error);
  }
  /// asked: what the row's result would have.
  const RowResult* find(const std::string& id, const std::string& asked, const Variant& variant) const {
    const auto found = held_.find({id, variant.method, variant.budgetTokens});
    if (found == held_.end()) return nullptr;
    if (found->second.asked != asked)
      throw std::runtime_error(utf8Of(file_) + " holds an answer to " + id +
                               " that was asked otherwise: another question, adapter, length or the like; name "
                               "another --out.");
    return &found->second;
  }
  void write(const RowResult& result) {
    if (file_.empty()) return;
    stream_ << asLine(toJson(result)) << std::endl;
    check();
  }

 private:
  /// The last line may have been cut off when the run before was ended.
  void take(const std::string& lines) {
    std::istringstream stream(lines);
    int number = 0;
    for (std::string line; std::getline(stream, line); ++number) {
      const auto result = rowResultOf(Json::parse(line, nullptr, false));
      if (!result && stream.eof()) return;
      if (!result)
        throw std::runtime_error(utf8Of(file_) + ", line " + std::to_string(number + 1) +
                                 ", is no answer as this version writes them; name another --out.");
      if (result->model != model_)
        throw std::runtime_error(utf8Of(file_) + " holds answers of another model; name another --out.");
      held_.insert({{result->id, result->method, result->budgetTokens}, *result});
    }
  }
  void check(std::error_code error = {}) const {
    if (!stream_ || error)
      throw std::runtime_error(utf8Of(file_) + " cannot be written; check its folder and the disk.");
  }
  fs::path file_;
  std::string model_;
  std::ofstream stream_;
  std::map<std::tuple<std::string, std::string, int>, RowResult> held_;
};

Json summaryOf(const Variant& variant, const std::string& modelName) {
  Json json = variant.tally.summary();
  json["read_seconds"] = variant.readSeconds;
  json["answer_seconds"] = variant.answerSeconds;
  json["method"] = variant.method;
  json["budget"] = variant.budgetTokens;
  json["model"] = modelName;
  Json& lengths = json["by_length"] = Json::array();
  for (const LengthMeans& means : variant.tally.byLength()) lengths.push_back(toJson(means));
  return json;
}

std::vector<MethodCurve> curvesOf(const std::vector<Variant>& variants) {
  std::vector<MethodCurve> curves;
  for (const Variant& variant : variants) curves.push_back({variant.name, variant.tally.byLength()});
  return curves;
}

void askRows(const Arguments& arguments, const std::vector<bool>& isChosen, RowAsker& asker,
             std::vector<Variant>& variants, Console& console) {
  const auto chosen = std::count(isChosen.begin(), isChosen.end(), true);
  RowsFile rowsFile(arguments.rowsFile, arguments.goesOn, asker.model().fingerprint);
  EvaluationRows rows(arguments.file);
  int number = 0;
  for (const bool isWanted : isChosen) {
    const auto row = rows.next();
    if (!row) throw std::runtime_error(utf8Of(arguments.file) + " has become shorter while it was asked.");
    if (!isWanted) continue;
    const std::string subject = "row " + std::to_string(++number) + " of " + std::to_string(chosen);
    std::vector<std::string> names;
    std::vector<const RowResult*> held;  // null: not yet asked
    std::vector<const Variant*> left;
    for (const Variant& variant : variants) {
      names.push_back(asker.nameOf(*row, variant));
      held.push_back(rowsFile.find(row->id, names.back(), variant));
      if (!held.back()) left.push_back(&variant);
    }
    console.setSubject(subject);
    asker.readAhead(*row, left);
    for (std::size_t i = 0; i < variants.size(); ++i) {
      Variant& variant = variants[i];
      console.setSubject(subject + (variants.size() > 1 ? ", " + variant.name : ""));
      const RowResult result = held[i] ? *held[i] : asker.ask(*row, variant, names[i]);
      if (!held[i]) rowsFile.write(result);
      variant.tally.add(result);
      variant.readSeconds += result.readSeconds;
      variant.answerSeconds += result.answerSeconds;
    }
  }
}

}  // namespace

void evalCommand(const Arguments& arguments, Console& console) {
  const Stopwatch whole;
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkPicture(arguments.picture);
  std::error_code error;
  if (!arguments.rowsFile.empty() && fs::equivalent(arguments.file, arguments.rowsFile, error))
    throw UsageError("--out is the file of the questions itself; name another.");
  if (fs::exists(arguments.file, error) && !fs::is_regular_file(arguments.file, error))
    throw UsageError(utf8Of(arguments.file) +
                     " is no file of its own; rows are read twice, so save them first.");
  const std::vector<bool> isChosen = chooseRows(arguments.file, arguments.rows);
  if (std::count(isChosen.begin(), isChosen.end(), true) == 0)
    throw std::runtime_error(utf8Of(arguments.file) + " has no rows; it takes one JSON object a line.");
  std::vector<Variant> variants;
  for (const MethodAtBudget& way : methodsAtBudgets(arguments)) variants.push_back({way, {}, 0, 0});
  RowAsker asker(arguments, console);
  askRows(arguments, isChosen, asker, variants, console);
  const std::vector<MethodCurve> curves = curvesOf(variants);
  if (arguments.isJson) {
    Json summaries = Json::array();
    for (const Variant& variant : variants) summaries.push_back(summaryOf(variant, asker.model().name));
    Json json = variants.size() == 1 ? summaries[0] : Json{{"results", summaries}};
    json["seconds"] = whole.seconds();
    json["peak_rss"] = peakMemoryBytes();
    console.out() << asLine(json) << "\n";
  } else {
    for (const Variant& variant : variants) {
      if (variants.size() > 1) console.out() << variant.name << "\n";
      console.out() << variant.tally.table() << asDuration(variant.readSeconds) << " reading and "
                    << asDuration(variant.answerSeconds) << " answering\n\n";
    }
    if (variants.size() > 1) console.out() << "All, by method and length\n" << tableOf(curves) << "\n";
    console.out() << asDuration(whole.seconds()) << " in all; at most " << asBytes(peakMemoryBytes())
                  << " of memory\n";
  }
  if (!arguments.picture.empty()) drawCurves(curves, arguments.picture);  // last: the figures are out by now
}

}  // namespace kvasir
