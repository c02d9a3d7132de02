#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kvasir {

/// Tokens [begin, end) of a text.
struct TokenBand {
  int begin = 0, end = 0;
};

/// Bands that end at these places, ascending or not; places named twice count once.
std::vector<TokenBand> bandsUpTo(std::vector<int> ends);

/// exp of the mean of what a band's tokens were surprised by; tokens that nothing foresaw do not count. Nothing
/// where none is left; not finite where a token was held impossible.
std::optional<double> perplexityOf(const std::vector<std::optional<double>>& logProbabilities,
                                   const TokenBand& band);

/// What one method gave.
struct MethodPerplexity {
  std::string name;
  std::vector<std::optional<double>> byBand;
  std::optional<double> whole;
};
MethodPerplexity perplexityBy(std::string name, const std::vector<std::optional<double>>& logProbabilities,
                              const std::vector<TokenBand>& bands);

/// How much more the last band's perplexity is than another's: 0.1 is 10 %. Nothing where one is missing or not
/// finite.
std::optional<double> excessAtEnd(const MethodPerplexity& method, const MethodPerplexity& other);

/// For people: a line a method, a column a band, and the excess at the end over the first method.
std::string tableOf(const std::vector<MethodPerplexity>& methods, const std::vector<TokenBand>& bands);

}  // namespace kvasir
