#pragma once

#include "engine/loaded_model.h"

namespace kvasir {

/// What there is in an adapter's lessons, counted before the training.
struct LessonCounts {
  int questions = 0;
  int tooLong = 0;              ///< questions that do not fit a chunk with their answers
  std::uint64_t mostBytes = 0;  ///< of what a step runs through the model, at its largest
};

/// Throws a sentence for a text that is longer than a lesson may be, or, where the method reads prompts anew,
/// than a prompt holds beside a question.
LessonCounts countLessons(const LoadedModel& model, const AdapterTexts& texts, const AdapterSettings& settings,
                          const std::function<void()>& breathe);

}  // namespace kvasir
