#pragma once

#include "engine/policy/window_policies.h"

namespace kvasir {

/// The first chunk, the recent chunks, and in each layer the chunks whose whitened mean hidden state is nearest
/// to the block's own (engine/retrieval/whitening.h), by the mean cosine over this layer and those below that
/// have entries. For questions paragraphs are found whole: a chunk has the score of its best paragraph, the
/// best cosine there and the words it shares with the question (BM25); and of recent chunks only the last is
/// kept. Training-free but for the whitening, which is made from plain text.
std::unique_ptr<KvPolicy> whitenedPolicy(const PolicySettings& settings);

/// RetroLM (§3: one choice a layer, first chunk always kept, retrieval while reading and answering): the same
/// with trained bookmarks (engine/retrieval/bookmarks.h) as entries, weighted by layer. Where none were trained
/// for a model, as whitened. Departure: the paper retrieves once a question (the number `again` at 0); usually
/// an answer retrieves anew every 128 tokens.
std::unique_ptr<KvPolicy> retrolmPolicy(const PolicySettings& settings);

}  // namespace kvasir
