#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace kvasir {

/// BM25 by its formula, over words given as they are.
inline double plainBm25(const std::vector<std::vector<std::string>>& chunks, std::size_t chunk,
                        const std::vector<std::string>& question) {
  double length = 0, score = 0;
  for (const auto& words : chunks) length += static_cast<double>(words.size());
  const double average = length / static_cast<double>(chunks.size()),
               total = static_cast<double>(chunks.size());
  for (const std::string& word : question) {
    const auto in = [&](const std::vector<std::string>& words) {
      return static_cast<double>(std::ranges::count(words, word));
    };
    const double with =
        static_cast<double>(std::ranges::count_if(chunks, [&](const auto& words) { return in(words) > 0; }));
    const double frequency = in(chunks[chunk]), own = static_cast<double>(chunks[chunk].size());
    score += std::log(1 + (total - with + 0.5) / (with + 0.5)) * frequency * 2.2 /
             (frequency + 1.2 * (0.25 + 0.75 * own / average));
  }
  return score;
}

}  // namespace kvasir
