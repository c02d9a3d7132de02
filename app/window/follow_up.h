#pragma once

#include <vector>

#include "ui/panels/exchange.h"

namespace kvasir {

/// What a follow-up carries of the conversation before it, in tokens of about four bytes: more would leave the
/// passages too little of the budget, and lead what looks for them astray.
constexpr int kFollowUpTokens = 256;

/// A question that refers to what was said before it, as the model gets it: the model sees one question at a
/// time. As many of the last questions and answers as fit kFollowUpTokens go with it; the last one always, cut
/// where it is too long. Empty where nothing was answered before.
QString followUpOf(const std::vector<ExchangePointer>& before, const QString& question);

}  // namespace kvasir
