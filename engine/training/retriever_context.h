#pragma once

#include "engine/loaded_model.h"
#include "engine/training/frozen_states.h"

namespace kvasir {

/// The method that reads the texts which bookmarks are trained on.
inline constexpr const char* kHeardBy = "whitened";

/// How well bookmarks find the evidence of questions, the model frozen.
struct RetrieverScore {
  at::Tensor loss;      ///< []; undefined where no question is judged
  int questions = 0;    ///< that are: they have chunks with evidence, and others to tell these from
  int whollyFound = 0;  ///< of these: all chunks with evidence among those that a question sees
};

/// Reads a text as the method "whitened" does and hears all its questions.
RetrieverContext hearLesson(const LoadedModel& model, const RetrieverLesson& lesson, int budgetTokens,
                            Listener& listener);

/// Contrastive loss (RetroLM eq. 7): for each question, the mean over its gold chunks of -log of that chunk's
/// share beside all chunks that are not gold, by the score of all layers and, a fifth of it, of each layer
/// alone; and a share for chunks that find others of their document while reading.
RetrieverScore scoreContext(const Bookmarks& bookmarks, const RetrieverContext& context,
                            const RetrieverSettings& settings);

}  // namespace kvasir
