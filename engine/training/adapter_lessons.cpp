#include "engine/training/adapter_lessons.h"

#include "engine/passage_prompt.h"
#include "engine/training/question_branch.h"
#include "engine/training/training_memory.h"

namespace kvasir {
namespace {

constexpr int kMostLessonTokens = 12000;

/// Of a method that reads prompts anew: tokens that a text may have with its frame beside a question, which is
/// what the budget leaves, at most the trained length.
int roomOf(const LoadedModel& model, int budgetTokens) {
  const int room = promptTokens(model, budgetTokens) - kChunkTokens;
  if (room > 0) return room;
  throw std::runtime_error("A budget of " + std::to_string(budgetTokens) +
                           " leaves no room for a text: " + std::to_string(kChunkTokens) +
                           " tokens are for question and answer. Give a larger one.");
}

class LessonCounter {
 public:
  LessonCounter(const LoadedModel& model, const AdapterSettings& settings)
      : model_(model),
        settings_(settings),
        method_(findMethod(settings.method)),
        room_(answersFromReading(method_) ? 0 : roomOf(model, settings.budgetTokens)) {}

  const LessonCounts& counts() const { return counts_; }

  /// name: of the text, for people.
  void add(const AdapterLesson& lesson, const std::string& name) {
    const int tokens = static_cast<int>(frameText(model_, lesson.text).size());
    requireLength(tokens, name);
    std::vector<Length> lengths;
    for (const auto& item : lesson.items) {
      ++counts_.questions;
      const auto branch = makeBranch(model_, item.question, item.answer.empty() ? kNotInDocument : item.answer);
      if (branch)
        lengths.push_back({std::ssize(branch->tokens), std::ssize(branch->targets)});
      else
        ++counts_.tooLong;
    }
    std::ranges::sort(lengths, std::ranges::greater(), &Length::tokens);
    lengths.resize(std::min(lengths.size(), static_cast<std::size_t>(settings_.questionsEach)));
    measure(tokens, lengths);
    if (lesson.items.empty() || settings_.plainShare > 0) measure(tokens, {{kChunkTokens, kChunkTokens}});
  }

 private:
  /// Of a branch.
  struct Length {
    std::int64_t tokens = 0, targets = 0;
  };

  void requireLength(int tokens, const std::string& name) const {
    const int frame = static_cast<int>(framePrefix(model_).size());
    if (tokens - frame > kMostLessonTokens)
      throw std::runtime_error(name + " has " + std::to_string(tokens - frame) +
                               " tokens, and a lesson may have " + std::to_string(kMostLessonTokens) +
                               ": cut it into several.");
    if (room_ == 0 || tokens <= room_) return;
    const int most = room_ + kChunkTokens;
    const bool isTrained = most < settings_.budgetTokens;
    throw std::runtime_error(
        name + " has " + std::to_string(tokens) + " tokens, and " +
        (isTrained ? "the length the model was trained on" : "a budget of " + std::to_string(most)) +
        " leaves room for " + std::to_string(room_) + ": give shorter texts" +
        (isTrained ? "." : " or a larger budget."));
  }

  /// What a step would take that runs these branches after a text of so many tokens.
  void measure(std::int64_t text, const std::vector<Length>& branches) {
    const bool isReadAnew = room_ > 0, seesAll = isReadAnew || method_.sees == Sees::WholeDocument;
    const std::int64_t seen = seesAll ? text : std::min<std::int64_t>(text, settings_.budgetTokens);
    RunSize run;
    if (isReadAnew) run = {text, 0, text * text, 0};
    for (const Length& branch : branches) {
      run.rows += branch.tokens;
      run.targets += branch.targets;
      run.pairs += branch.tokens * (seen + branch.tokens);
      if (!isReadAnew) run.seen += seen;
    }
    counts_.mostBytes = std::max(counts_.mostBytes, runBytes(model_, run));
  }

  const LoadedModel& model_;
  const AdapterSettings& settings_;
  const Method& method_;
  int room_;  ///< 0: texts are read as documents are
  LessonCounts counts_;
};

}  // namespace

LessonCounts countLessons(const LoadedModel& model, const AdapterTexts& texts, const AdapterSettings& settings,
                          const std::function<void()>& breathe) {
  LessonCounter counter(model, settings);
  for (const auto* lessons : {&texts.train, &texts.heldOut})
    for (std::size_t i = 0; i < lessons->size(); ++i) {
      breathe();
      counter.add((*lessons)[i],
                  "Text " + std::to_string(i + 1) + (lessons == &texts.train ? "" : " of those held out"));
    }
  return counter.counts();
}

}  // namespace kvasir
