#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "app/cli/commands.h"
#include "app/cli/setup.h"
#include "app/perplexities.h"
#include "app/results.h"
#include "app/stopwatch.h"
#include "app/text.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

/// What keeps to its budget in answers alone reads as dense attention does: there is nothing of its own to
/// measure.
void checkBudgetsAct(const std::vector<std::string>& methods, Console& console) {
  std::set<std::string> dense;
  for (const std::string& method : methods)
    if (boundsAnswersOnly(method)) dense.insert(method);
  if (!dense.empty() && std::all_of(methods.begin(), methods.end(), boundsAnswersOnly))
    throw std::runtime_error("The method " + *dense.begin() +
                             " keeps to its budget only in answers and reads a text densely, so its perplexity "
                             "tells nothing of the budget; choose `full`, or a method that reads within it.");
  for (const std::string& method : dense)
    console.remark("The method " + method +
                   " keeps to its budget only in answers; this is the perplexity of dense attention.");
}

/// Where bands end: as wished, else at once, twice and four times the length the model was trained on.
std::vector<TokenBand> bandsOf(const Arguments& arguments, const ModelInfo& model) {
  if (!arguments.lengths.empty()) return bandsUpTo(arguments.lengths);
  if (model.trainedTokens <= 0)
    throw UsageError("The model file does not say how long texts it was trained on; give --lengths.");
  return bandsUpTo({model.trainedTokens, 2 * model.trainedTokens, 4 * model.trainedTokens});
}

/// JSON has no infinity: what is not finite is told as text.
Json jsonOf(const std::optional<double>& value) {
  if (!value) return nullptr;
  return std::isfinite(*value) ? Json(*value) : Json("not finite");
}

/// The first is what the others are judged by: full attention that never sees more than the first band is long.
std::vector<MethodPerplexity> measure(const Arguments& arguments, Engine& engine, const std::string& text,
                                      const std::vector<TokenBand>& bands, Console& console) {
  const int tokens = bands.back().end, window = bands.front().end;
  std::vector<MethodPerplexity> methods;
  const auto add = [&](const std::string& name, const std::string& method, int windowTokens) {
    console.setSubject(name);
    const ReadSettings settings{method, arguments.asking.budgetTokens, arguments.stepTokens};
    methods.push_back(
        perplexityBy(name, engine.foresee(text, settings, {tokens, windowTokens}, console), bands));
  };
  add("full, anew every " + withCommas(window), "full", window);
  for (const std::string& method : arguments.methods) add(method, method, 0);
  return methods;
}

Json toJson(const MethodPerplexity& method, const MethodPerplexity& anew) {
  Json byBand = Json::array();
  for (const auto& value : method.byBand) byBand.push_back(jsonOf(value));
  return {{"method", method.name},
          {"perplexity", std::move(byBand)},
          {"whole", jsonOf(method.whole)},
          {"excess_at_end", jsonOf(excessAtEnd(method, anew))}};
}

}  // namespace

void perplexityCommand(const Arguments& arguments, Console& console) {
  const Stopwatch watch;
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkBudgetsAct(arguments.methods, console);
  const std::string text = textOf(arguments.file);
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  checkMethods(*engine, arguments, MethodUse::Foresight);
  const std::vector<TokenBand> bands = bandsOf(arguments, engine->model());
  const std::size_t tokens = engine->tokenizer().encode(text).size();
  if (tokens < static_cast<std::size_t>(bands.back().end))
    throw std::runtime_error(utf8Of(arguments.file) + " has " + withCommas(static_cast<std::int64_t>(tokens)) +
                             " tokens, and " + withCommas(bands.back().end) +
                             " are wanted; give a longer text or shorter --lengths.");
  const std::vector<MethodPerplexity> methods = measure(arguments, *engine, text, bands, console);
  if (!arguments.isJson) {
    console.out() << tableOf(methods, bands) << asDuration(watch.seconds()) << " in all\n";
    return;
  }
  Json json = {{"model", engine->model().name},
               {"trained_tokens", engine->model().trainedTokens},
               {"budget", arguments.asking.budgetTokens},
               {"bands", Json::array()},
               {"results", Json::array()},
               {"seconds", watch.seconds()}};
  for (const TokenBand& band : bands) json["bands"].push_back(Json::array({band.begin, band.end}));
  for (const MethodPerplexity& method : methods) json["results"].push_back(toJson(method, methods.front()));
  console.out() << asLine(json) << "\n";
}

}  // namespace kvasir
