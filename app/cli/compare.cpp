#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
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
std::string describe(const Json& row) {
  const std::string method = row["method"];
  if (row.contains("error")) return method + "\n     " + std::string(row["error"]) + "\n";
  char line[240];
  std::snprintf(
      line, sizeof line,
      "%-16s read %s, first token %.2f s, %s of %s tokens attended, KV %s in memory and %s on disk, "
      "log-probability %.1f",
      method.c_str(), asDuration(row["seconds"]["read"]).c_str(), row["seconds"]["first_token"].get<double>(),
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

}  // namespace

/// What a method cannot do is its row; the others go on.
void compareCommand(const Arguments& arguments, Console& console) {
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkQuestion(arguments.question);
  Library library(arguments.library);
  const OpenDocument document = openDocument(library, arguments.documents.front(), console);
  const Stopwatch loading;
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  const double loadSeconds = loading.seconds();
  Json rows = Json::array();
  for (const std::string& method : arguments.methods) {
    const Stopwatch whole;
    Arguments own = arguments;
    own.asking.method = method;
    console.setSubject(method);
    try {
      const OpenReading read = openReading(*engine, library, document, readSettingsFor(*engine, own), console);
      const Answer answer = engine->ask(*read.reading, own.question, own.asking, console);
      rows.push_back(
          toJson(AskResult{document.document, answer, own.asking, read.reading->tokens(), loadSeconds,
                           read.seconds, whole.seconds(), read.reading->bytesOnDisk(), peakMemoryBytes()}));
    } catch (const Cancelled&) {
      throw;
    } catch (const std::runtime_error& error) {
      rows.push_back({{"method", method}, {"error", error.what()}});
    }
    if (!arguments.isJson) console.out() << describe(rows.back()) << std::flush;
  }
  if (arguments.isJson) console.out() << asLine(rows) << "\n";
}

}  // namespace kvasir
