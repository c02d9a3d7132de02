#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/setup.h"
#include "app/library.h"
#include "app/memory.h"
#include "app/open_document.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

/// One row of the table for people, and the answer under it.
std::string describe(const std::string& name, const Json& row) {
  if (row.contains("error")) return name + "\n     " + std::string(row["error"]) + "\n";
  char line[240];
  std::snprintf(
      line, sizeof line,
      "%-16s read %s, first token %.2f s, %s of %s tokens attended, KV %s in memory and %s on disk, "
      "log-probability %.1f",
      name.c_str(), asDuration(row["seconds"]["read"]).c_str(), row["seconds"]["first_token"].get<double>(),
      withCommas(row["tokens"]["attended"].get<int>()).c_str(),
      withCommas(row["tokens"]["document"].get<int>()).c_str(),
      asBytes(row["bytes"]["kv_memory"].get<std::uint64_t>()).c_str(),
      asBytes(row["bytes"]["kv_disk"].get<std::uint64_t>()).c_str(), row["log_probability"].get<double>());
  std::string text = std::string(line) + "\n     " + std::string(row["answer"]) + "\n";
  if (row["evidence"].empty()) return text;
  const Json& best = row["evidence"][0];
  if (best["first_page"].is_number())
    text += "     best passage: page " + std::to_string(best["first_page"].get<int>()) + "\n";
  return text;
}

/// One document, asked one question by one method after the other.
class Comparison {
 public:
  Comparison(const Arguments& arguments, Console& console)
      : arguments_(arguments),
        console_(console),
        library_(arguments.library),
        document_(openDocument(library_, arguments.documents.front(), console)) {
    const Stopwatch loading;
    engine_ = loadEngine(arguments, console);
    loadSeconds_ = loading.seconds();
  }

  /// Before it is asked by these in their order: the document is not read densely twice because of it.
  void readAhead(const std::vector<MethodAtBudget>& ways) {
    std::vector<ReadSettings> readings;
    for (const MethodAtBudget& way : ways) readings.push_back(settingsFor(askSettingsOf(arguments_, way)));
    for (const std::size_t place : readingsToMakeFirst(*engine_, readings)) {
      console_.setSubject(ways[place].name);
      try {
        secondsAhead_[engine_->readingKey(readings[place])] = read(readings[place]).seconds;
      } catch (const Cancelled&) {
        throw;
      } catch (const std::runtime_error&) {
        // It is told when its turn comes.
      }
    }
  }

  /// What a method cannot do is its row; the others go on.
  Json ask(const MethodAtBudget& way) {
    console_.setSubject(way.name);
    const AskSettings asking = askSettingsOf(arguments_, way);
    try {
      const Stopwatch whole;
      const ReadSettings settings = settingsFor(asking);
      const OpenReading opened = read(settings);
      const double ahead = std::exchange(secondsAhead_[engine_->readingKey(settings)], 0.0);
      const Answer answer = engine_->ask(*opened.reading, arguments_.question, asking, console_);
      return toJson(AskResult{document_.document, answer, asking, opened.reading->tokens(), loadSeconds_,
                              opened.seconds + ahead, whole.seconds() + ahead, opened.reading->bytesOnDisk(),
                              peakMemoryBytes()});
    } catch (const Cancelled&) {
      throw;
    } catch (const std::runtime_error& error) {
      return {{"method", way.method}, {"budget", way.budgetTokens}, {"error", error.what()}};
    }
  }

 private:
  ReadSettings settingsFor(const AskSettings& asking) const {
    return readSettingsFor(*engine_, asking, arguments_.stepTokens);
  }
  OpenReading read(const ReadSettings& settings) {
    return openReading(*engine_, library_, document_, settings, console_);
  }

  const Arguments& arguments_;
  Console& console_;
  Library library_;
  OpenDocument document_;
  std::unique_ptr<Engine> engine_;
  double loadSeconds_ = 0;
  std::map<std::string, double> secondsAhead_;  ///< of reading, by its key; not yet told
};

MethodCost costOf(const MethodAtBudget& way, const Json& row) {
  const double bytes = row["bytes"]["kv_memory"].get<double>() + row["bytes"]["kv_disk"].get<double>();
  return {way.method, way.budgetTokens, row["seconds"]["first_token"].get<double>(), bytes,
          row["tokens"]["attended"].get<int>()};
}

}  // namespace

void compareCommand(const Arguments& arguments, Console& console) {
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkQuestion(arguments.question);
  checkPicture(arguments.picture);
  const std::vector<MethodAtBudget> ways = methodsAtBudgets(arguments);
  Comparison comparison(arguments, console);
  comparison.readAhead(ways);
  Json rows = Json::array();
  std::vector<MethodCost> costs;
  for (const MethodAtBudget& way : ways) {
    const Json& row = rows.emplace_back(comparison.ask(way));
    if (!row.contains("error")) costs.push_back(costOf(way, row));
    if (!arguments.isJson) console.out() << describe(way.name, row) << std::flush;
  }
  if (arguments.isJson) console.out() << asLine(rows) << "\n";
  if (arguments.picture.empty()) return;
  if (costs.empty()) throw std::runtime_error("There is nothing to draw: no method answered.");
  drawCosts(costs, arguments.picture);  // last: the figures are out by now
}

}  // namespace kvasir
