#include "engine/retrieval/lexical_prior.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include "engine/torch.h"

namespace kvasir {
namespace {

std::string stemmed(std::string word) {
  constexpr std::size_t kShortest = 4;
  if (word.ends_with("'s")) word.resize(word.size() - 2);
  if (word.size() >= kShortest && word.back() == 's' && !word.ends_with("ss")) word.pop_back();
  return word;
}

/// How often each word of the question occurs in a chunk, and how long the chunk is.
struct Counts {
  std::map<std::string, int> words;
  int length = 0;
};

/// Cuts one text after another. For one thread.
class WordCutter {
 public:
  WordCutter();
  std::vector<std::string> words(std::string_view text);

 private:
  std::unique_ptr<icu::BreakIterator> breaks_;
};

WordCutter::WordCutter() {
  UErrorCode status = U_ZERO_ERROR;
  breaks_.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) throw std::runtime_error("The word boundaries of ICU could not be loaded.");
}

std::vector<std::string> WordCutter::words(std::string_view text) {
  icu::UnicodeString folded = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  folded.foldCase();
  folded.findAndReplace(icu::UnicodeString(static_cast<UChar32>(0x2019)),
                        icu::UnicodeString(static_cast<UChar32>('\'')));
  breaks_->setText(folded);
  std::vector<std::string> words;
  for (int32_t begin = breaks_->first(), end = breaks_->next(); end != icu::BreakIterator::DONE;
       begin = end, end = breaks_->next()) {
    if (breaks_->getRuleStatus() == UBRK_WORD_NONE) continue;  // spaces and punctuation
    std::string word;
    folded.tempSubStringBetween(begin, end).toUTF8String(word);
    words.push_back(stemmed(std::move(word)));
  }
  return words;
}

std::vector<Counts> countAll(const std::vector<std::string>& chunks, const std::set<std::string>& wanted) {
  constexpr std::int64_t kFewest = 32;
  std::vector<Counts> all(chunks.size());
  at::parallel_for(0, std::ssize(chunks), kFewest, [&](std::int64_t begin, std::int64_t end) {
    WordCutter cutter;
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      for (const std::string& word : cutter.words(chunks[i])) {
        ++all[i].length;
        if (wanted.contains(word)) ++all[i].words[word];
      }
  });
  return all;
}

}  // namespace

std::vector<std::string> lexicalWords(std::string_view text) { return WordCutter().words(text); }

std::vector<float> lexicalScores(const std::vector<std::string>& chunks, std::string_view question) {
  constexpr double kSaturation = 1.2, kLengthShare = 0.75;
  const std::vector<std::string> asked = lexicalWords(question);
  const std::set<std::string> wanted(asked.begin(), asked.end());
  const std::vector<Counts> counts = countAll(chunks, wanted);
  std::map<std::string, int> chunksWith;
  double length = 0;
  for (const Counts& chunk : counts) {
    length += chunk.length;
    for (const auto& [word, count] : chunk.words) ++chunksWith[word];
  }
  const double total = static_cast<double>(chunks.size()),
               average = std::max(1.0, length / std::max(1.0, total));
  std::vector<float> scores;
  for (const Counts& chunk : counts) {
    double score = 0;
    for (const auto& [word, count] : chunk.words) {
      const double rarity = std::log(1 + (total - chunksWith[word] + 0.5) / (chunksWith[word] + 0.5));
      const double norm = kSaturation * (1 - kLengthShare + kLengthShare * chunk.length / average);
      score += rarity * count * (kSaturation + 1) / (count + norm);
    }
    scores.push_back(static_cast<float>(score));
  }
  const float best = scores.empty() ? 0 : *std::ranges::max_element(scores);
  if (best > 0)
    for (float& score : scores) score /= best;
  return scores;
}

}  // namespace kvasir
