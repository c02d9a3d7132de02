#pragma once

#include "ui/panels/exchange.h"

namespace kvasir {

/// A question that refers to the one before it, as the model gets it: with that question and the beginning of
/// its answer. The model sees one question at a time.
QString followUpOf(const Exchange& before, const QString& question);

}  // namespace kvasir
