#pragma once

#include "engine/clock.h"
#include "engine/loaded_model.h"
#include "engine/pass.h"
#include "engine/token_view.h"

namespace kvasir {

/// What is to be said, where it is known before: the tokens of an answer that was given.
using Script = std::optional<std::vector<TokenId>>;

/// How an answer is wished, and since when it is waited for.
struct Asking {
  const AskSettings& settings;
  const Script& script;
  Listener& listener;
  Clock::time_point start;
};

/// The tokens of an answer as they came.
struct Said {
  std::vector<TokenId> tokens;
  std::vector<std::size_t> starts;  ///< byte of the answer's text before each
};

/// `text` without white space at its ends.
std::string trimmed(const std::string& text);

/// Says the answer token by token after a pass whose last row is given; fills text, tokens, ends,
/// log-probability and the first token's time. text: what the answer is likely to quote; what is said does not
/// depend on it.
Said sayAnswer(const LoadedModel& model, ForwardPass& pass, const at::Tensor& lastRow, TokenView text,
               const Asking& asking, Answer& answer);

/// A tap's looks, the question's first, each beside the bytes of its token in the answer's text.
std::vector<AnswerLook> placeLooks(std::vector<AnswerLook> looks, const Said& said, const std::string& text);

}  // namespace kvasir
