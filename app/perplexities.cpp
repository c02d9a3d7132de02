#include "app/perplexities.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "app/text.h"

namespace kvasir {
namespace {

constexpr int kNameWidth = 24, kWidth = 17;

std::string padded(const std::string& text) {
  char line[80];
  std::snprintf(line, sizeof line, "%*s", kWidth, text.c_str());
  return line;
}

std::string asNumber(const std::optional<double>& value, const char* format) {
  if (!value) return "-";
  if (!std::isfinite(*value)) return "not finite";
  char text[40];
  std::snprintf(text, sizeof text, format, *value);
  return text;
}

}  // namespace

std::vector<TokenBand> bandsUpTo(std::vector<int> ends) {
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  std::vector<TokenBand> bands;
  for (const int end : ends) bands.push_back({bands.empty() ? 0 : bands.back().end, end});
  return bands;
}

std::optional<double> perplexityOf(const std::vector<std::optional<double>>& logProbabilities,
                                   const TokenBand& band) {
  double sum = 0;
  int count = 0;
  for (int i = band.begin; i < std::min(band.end, static_cast<int>(logProbabilities.size())); ++i) {
    const std::optional<double>& value = logProbabilities[static_cast<std::size_t>(i)];
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? std::optional(std::exp(-sum / count)) : std::nullopt;
}

MethodPerplexity perplexityBy(std::string name, const std::vector<std::optional<double>>& logProbabilities,
                              const std::vector<TokenBand>& bands) {
  MethodPerplexity method{std::move(name), {}, {}};
  for (const TokenBand& band : bands) method.byBand.push_back(perplexityOf(logProbabilities, band));
  if (!bands.empty()) method.whole = perplexityOf(logProbabilities, {0, bands.back().end});
  return method;
}

std::optional<double> excessAtEnd(const MethodPerplexity& method, const MethodPerplexity& other) {
  if (method.byBand.empty() || other.byBand.empty()) return std::nullopt;
  const std::optional<double>&own = method.byBand.back(), &theirs = other.byBand.back();
  if (!own || !theirs || !std::isfinite(*own) || !std::isfinite(*theirs)) return std::nullopt;
  return *own / *theirs - 1;
}

std::string tableOf(const std::vector<MethodPerplexity>& methods, const std::vector<TokenBand>& bands) {
  char name[80];
  std::snprintf(name, sizeof name, "%-*s", kNameWidth, "tokens");
  std::string text = name;
  for (const TokenBand& band : bands) text += padded(withCommas(band.begin) + "-" + withCommas(band.end));
  text += padded("whole") + padded("last to anew") + "\n";
  for (const MethodPerplexity& method : methods) {
    std::snprintf(name, sizeof name, "%-*s", kNameWidth, method.name.c_str());
    text += name;
    for (const auto& value : method.byBand) text += padded(asNumber(value, "%.2f"));
    text += padded(asNumber(method.whole, "%.2f"));
    const auto excess = excessAtEnd(method, methods.front());
    text += padded(excess ? asNumber(*excess * 100, "%+.1f %%") : "-") + "\n";
  }
  return text;
}

}  // namespace kvasir
