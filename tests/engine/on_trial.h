#pragma once

#include <gtest/gtest.h>

#include "tests/engine/tiny_model.h"

namespace kvasir {

/// Tokens that are tried together, and those of them that are taken back, leave what one after the other
/// leaves, bit for bit. mostUnpacked: as in GatheredKv::arrange.
void expectTheSameOnTrial(const LoadedModel& model, const Method& method, int budget,
                          int mostUnpacked = kMostUnpacked);

}  // namespace kvasir
