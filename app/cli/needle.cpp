#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/scratch_readings.h"
#include "app/cli/setup.h"
#include "app/evaluation.h"
#include "app/memory.h"
#include "app/needle_results.h"
#include "app/needles.h"
#include "app/open_document.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

/// One text with its needles, asked by every method.
struct Trial {
  int length = 0;
  double depth = 0;  ///< per cent
  NeedleTask task;
  PlantedText planted;

  std::vector<ByteSpan> askedSpans() const {
    std::vector<ByteSpan> spans;
    for (std::size_t i = 0; i < task.needles.size(); ++i)
      if (task.needles[i].isAsked) spans.push_back(planted.spans[i]);
    return spans;
  }
};

struct Variant : MethodAtBudget {
  NeedleGrid grid;
};

Haystack haystackOf(const Engine& engine, const std::string& text) {
  std::vector<std::size_t> tokenEnds;
  for (const Token& token : engine.tokenizer().encode(text)) tokenEnds.push_back(token.end);
  return {text, std::move(tokenEnds)};
}

/// The same needles at every depth of a length, so that depths differ by nothing else.
NeedleTask taskOf(const NeedleChoice& choice, double depth, int trial, const std::string& text) {
  if (!choice.sentence.empty())
    return {{{choice.sentence, depth / 100, true}}, choice.question, choice.expected};
  return makeNeedles(choice.kind, depth / 100, choice.seed + static_cast<std::uint64_t>(trial), text);
}

Trial plantTrial(const Engine& engine, const Haystack& haystack, const NeedleChoice& choice, int length,
                 double depth, int number) {
  constexpr int kJoiningTokens = 3;  // a needle's blank lines, at most
  Trial trial{length, depth, taskOf(choice, depth, number, haystack.text()), {}};
  int room = length;
  for (const Needle& needle : trial.task.needles)
    room -= static_cast<int>(engine.tokenizer().encode(needle.sentence).size()) + kJoiningTokens;
  if (room <= 0)
    throw UsageError("A text of " + withCommas(length) +
                     " tokens has no room for the needles; give longer --lengths.");
  trial.planted = plant(haystack.ofTokens(room), trial.task.needles);
  return trial;
}

NeedleResult askTrial(Engine& engine, ScratchReadings& readings, const Trial& trial, const Variant& variant,
                      const Arguments& arguments, Console& console) {
  const AskSettings asking = askSettingsOf(arguments, variant);
  NeedleResult result{variant.method,     variant.budgetTokens, trial.length,
                      trial.depth,        trial.task.question,  "",
                      trial.task.expected};
  const auto [reading, readSeconds] = readings.read(trial.planted.text, asking);
  result.readSeconds = readSeconds;
  const Answer answer = engine.ask(*reading, trial.task.question, asking, console);
  result.prediction = answer.text;
  result.found = shareFound(answer.text, trial.task.expected);
  const std::vector<ByteSpan> spans = trial.askedSpans();
  for (const ByteSpan& span : spans) {
    const GoldFound gold = findSpans({span}, answer, reading->chunks(), asking.budgetTokens);
    result.recall += gold.inAttended / static_cast<double>(spans.size());
    result.evidence += gold.inEvidence / static_cast<double>(spans.size());
  }
  result.documentTokens = reading->tokens();
  result.attendedTokens = answer.attendedTokens;
  result.firstTokenSeconds = answer.firstTokenSeconds;
  result.answerSeconds = answer.totalSeconds;
  result.kvBytes = reading->bytesOnDisk() + answer.kvBytesInMemory;
  return result;
}

void checkNeedle(const NeedleChoice& choice) {
  if (choice.sentence.empty()) return;
  checkQuestion(choice.question);
  const auto isBlank = [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  if (isBlank(choice.sentence)) throw UsageError("The needle is empty.");
  if (std::any_of(choice.expected.begin(), choice.expected.end(), isBlank))
    throw UsageError("What --expect waits for is empty.");
}

/// An answer may then come from elsewhere than the needle.
void warnOfKnown(const NeedleChoice& choice, const std::string& text, Console& console) {
  for (const std::string& wanted : choice.expected)
    if (shareFound(text, {wanted}) > 0)
      console.remark("The document itself says \"" + wanted +
                     "\", so an answer that holds it may not come from the needle.");
}

std::vector<NeedleResult> askAll(const Arguments& arguments, Engine& engine, const std::string& text,
                                 std::vector<Variant>& variants, Console& console) {
  const NeedleChoice& choice = arguments.needle;
  const Haystack haystack = haystackOf(engine, text);
  ScratchReadings readings(engine, arguments.stepTokens, console);
  const std::size_t texts =
      choice.lengths.size() * choice.depths.size() * static_cast<std::size_t>(choice.trials);
  std::size_t number = 0;
  std::vector<AskSettings> askings;
  for (const Variant& variant : variants) askings.push_back(askSettingsOf(arguments, variant));
  std::vector<NeedleResult> results;
  for (const int length : choice.lengths)
    for (const double depth : choice.depths)
      for (int i = 0; i < choice.trials; ++i) {
        const Trial trial = plantTrial(engine, haystack, choice, length, depth, i);
        const std::string subject = "text " + std::to_string(++number) + " of " + std::to_string(texts);
        console.setSubject(subject);
        readings.readAhead(trial.planted.text, askings);
        for (Variant& variant : variants) {
          console.setSubject(subject + ", " + variant.grid.name());
          results.push_back(askTrial(engine, readings, trial, variant, arguments, console));
          variant.grid.add(results.back());
        }
      }
  return results;
}

Json toJson(const Arguments& arguments, const std::vector<Variant>& variants,
            const std::vector<NeedleResult>& results) {
  Json json = {{"kind", arguments.needle.sentence.empty() ? needleKindName(arguments.needle.kind) : "own"},
               {"seed", arguments.needle.seed},
               {"results", Json::array()},
               {"rows", Json::array()}};
  for (const Variant& variant : variants) {
    Json summary = {{"method", variant.method}, {"budget", variant.budgetTokens}};
    summary.update(variant.grid.summary());
    json["results"].push_back(std::move(summary));
  }
  for (const NeedleResult& result : results) json["rows"].push_back(kvasir::toJson(result));
  return json;
}

void drawAll(const std::vector<Variant>& variants, const std::filesystem::path& picture) {
  std::vector<NeedleGrid> grids;
  for (const Variant& variant : variants) grids.push_back(variant.grid);
  drawNeedles(grids, picture);
}

}  // namespace

void needleCommand(const Arguments& arguments, Console& console) {
  const Stopwatch whole;
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkNeedle(arguments.needle);
  checkPicture(arguments.picture);
  const std::string text = readDocument(arguments.library, arguments.documents.front(), console).text;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw std::runtime_error("The document has no text to hide needles in.");
  warnOfKnown(arguments.needle, text, console);
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  checkMethods(*engine, arguments, MethodUse::Answers);
  std::vector<Variant> variants;
  for (const MethodAtBudget& way : methodsAtBudgets(arguments)) variants.push_back({way, NeedleGrid(way.name)});
  const std::vector<NeedleResult> results = askAll(arguments, *engine, text, variants, console);
  if (arguments.isJson) {
    Json json = toJson(arguments, variants, results);
    json["model"] = engine->model().name;
    json["seconds"] = whole.seconds();
    json["peak_rss"] = peakMemoryBytes();
    console.out() << asLine(json) << "\n";
  } else {
    console.out()
        << "Each cell: the share of what was expected that the answers hold / the share of the needles "
           "whose chunks were attended\n\n";
    for (const Variant& variant : variants)
      console.out() << variant.grid.name() << "\n" << variant.grid.table() << "\n";
    console.out() << asDuration(whole.seconds()) << " in all; at most " << asBytes(peakMemoryBytes())
                  << " of memory\n";
  }
  if (!arguments.picture.empty()) drawAll(variants, arguments.picture);  // last: the figures are out by now
}

}  // namespace kvasir
