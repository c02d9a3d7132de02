#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/pictures.h"
#include "app/cli/setup.h"
#include "app/places.h"
#include "app/results.h"
#include "app/text.h"
#include "engine/model/gguf.h"

namespace kvasir {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<int> kUsualPrompts = {512};
const std::vector<int> kUsualGenerates = {128};

/// The middle of the measurements; the lower one of two.
BenchResult medianOf(std::vector<BenchResult> results) {
  const auto middle = results.begin() + static_cast<std::ptrdiff_t>((results.size() - 1) / 2);
  std::nth_element(results.begin(), middle, results.end(), [](const BenchResult& a, const BenchResult& b) {
    return a.tokensPerSecond < b.tokensPerSecond;
  });
  return *middle;
}

/// Methods in turn at each length, so that what changes on the machine meanwhile meets them alike.
std::vector<MethodSpeed> measureAll(const Arguments& arguments, Engine& engine, Console& console) {
  const bool isUsual = arguments.prompts.empty() && arguments.generates.empty();
  const std::vector<int> depths = arguments.depths.empty() ? std::vector<int>{0} : arguments.depths;
  ReadSettings settings = readSettingsOf(arguments);
  std::vector<MethodSpeed> speeds;
  const auto measure = [&](const auto& bench) {
    for (const std::string& method : arguments.methods) {
      settings.method = method;
      speeds.push_back({method, medianOf(bench())});
    }
  };
  const auto reading = [&](int tokens, int depth) {
    std::vector<BenchResult> results;
    for (int i = 0; i < arguments.repeats; ++i)
      results.push_back(engine.benchRead(tokens, depth, settings, console));
    return results;
  };
  for (const int depth : depths) {
    for (const int tokens : isUsual ? kUsualPrompts : arguments.prompts)
      measure([&] { return reading(tokens, depth); });
    for (const int tokens : isUsual ? kUsualGenerates : arguments.generates)
      measure([&] { return engine.benchGenerate(tokens, depth, arguments.repeats, settings, console); });
  }
  return speeds;
}

/// One token for people: its text with line breaks and quotes escaped.
std::string shown(const Tokenizer& tokenizer, TokenId token) { return asLine(Json(tokenizer.bytesOf(token))); }

/// Of the text's own tokens under the model; the last place has no next token.
double perplexityOf(const std::vector<TopTokens>& positions) {
  if (positions.size() < 2) return 0;
  double sum = 0;
  for (std::size_t i = 0; i + 1 < positions.size(); ++i) sum += positions[i].nextLogProbability;
  return std::exp(-sum / static_cast<double>(positions.size() - 1));
}

Json toJson(const std::vector<TopTokens>& positions) {
  Json tops = Json::array(), next = Json::array();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    Json top = Json::array();
    for (const auto& [token, logProbability] : positions[i].top)
      top.push_back(Json::array({token, logProbability}));
    tops.push_back(std::move(top));
    if (i + 1 < positions.size()) next.push_back(positions[i].nextLogProbability);
  }
  return {{"positions", std::move(tops)},
          {"next_logprobs", std::move(next)},
          {"perplexity", perplexityOf(positions)}};
}

}  // namespace

void benchCommand(const Arguments& arguments, Console& console) {
  for (const std::string& method : arguments.methods) checkMethod(method);
  checkPicture(arguments.picture);
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  checkMethods(*engine, arguments, MethodUse::Speed);
  const std::vector<MethodSpeed> speeds = measureAll(arguments, *engine, console);
  Json json = {{"results", Json::array()}, {"model", engine->model().name}, {"threads", engine->threads()}};
  if (arguments.methods.size() == 1) json["method"] = arguments.methods[0];
  if (!arguments.isJson) console.out() << "kind        tokens     depth  tokens/s  method\n";
  for (const auto& [method, result] : speeds) {
    json["results"].push_back({{"kind", result.kind},
                               {"tokens", result.tokens},
                               {"depth", result.depth},
                               {"tokens_per_second", result.tokensPerSecond},
                               {"method", method}});
    if (arguments.isJson) continue;
    char line[80];
    std::snprintf(line, sizeof line, "%-9s %8d  %8d  %8.1f  ", result.kind.c_str(), result.tokens, result.depth,
                  result.tokensPerSecond);
    console.out() << line << method << "\n";
  }
  if (arguments.isJson) console.out() << asLine(json) << "\n";
  if (!arguments.picture.empty()) drawSpeeds(speeds, arguments.picture);  // last: the figures are out by now
}

void tokenizeCommand(const Arguments& arguments, Console& console) {
  const std::string text = textOf(arguments.file);
  // The vocabulary alone: no weights are loaded for this.
  const GgufFile file(findModel(arguments.model, modelFolders()));
  const std::unique_ptr<Tokenizer> tokenizer = makeTokenizer(file);
  Json tokens = Json::array();
  for (const Token& token : tokenizer->encode(text)) {
    tokens.push_back(token.id);
    if (!arguments.isJson) console.out() << token.id << "\t" << shown(*tokenizer, token.id) << "\n";
  }
  if (arguments.isJson) console.out() << asLine({{"tokens", std::move(tokens)}}) << "\n";
}

void logitsCommand(const Arguments& arguments, Console& console) {
  const std::string text = textOf(arguments.file);
  const std::unique_ptr<Engine> engine = loadEngine(arguments, console);
  const std::vector<TopTokens> positions = engine->logits(text, arguments.top, console);
  if (arguments.isJson) {
    console.out() << asLine(toJson(positions)) << "\n";
    return;
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    console.out() << i;
    for (const auto& [token, logProbability] : positions[i].top) {
      char number[32];
      std::snprintf(number, sizeof number, "%.4f", logProbability);
      console.out() << "  " << token << " " << shown(engine->tokenizer(), token) << " " << number;
    }
    console.out() << "\n";
  }
  console.out() << "perplexity " << perplexityOf(positions) << "\n";
}

}  // namespace kvasir
