#include "engine/text_run.h"

namespace kvasir {

void requireBudget(const LoadedModel& model, const Method& method, int budgetTokens) {
  constexpr int kSmallestBudget = kChunkTokens;
  if (method.sees == Sees::WholeDocument) return;
  if (budgetTokens < kSmallestBudget)
    throw std::runtime_error("The budget must be at least " + std::to_string(kSmallestBudget) + " tokens.");
  const int most = reachOf(budgetTokens, model.shape.trainedTokens);
  if (!countsPlaces(method) || most == budgetTokens) return;
  throw std::runtime_error("A budget of " + std::to_string(budgetTokens) + " is more than the " +
                           std::to_string(most) + " tokens the model was trained on; the method " +
                           method.name + " gives all that it sees positions in a row, so " +
                           std::to_string(most) + " is the largest budget it can have.");
}

namespace {

std::unique_ptr<KvPolicy> makePolicy(
    const LoadedModel& model, const Method& method, int budgetTokens, int documentTokens,
    ChunkWishes wishes = {}, const std::function<void()>& breathe = [] {}) {
  requireBudget(model, method, budgetTokens);
  std::vector<int> global;
  for (int layer = 0; layer < model.shape.layers; ++layer)
    if (!model.shape.isLocal(layer)) global.push_back(layer);
  return method.makePolicy({model.kvShape(), model.shape.heads, budgetTokens, std::move(wishes),
                            model.whitened.get(), model.bookmarks.get(), ropeFrequencies(model.shape, false),
                            std::move(global), documentTokens, model.shape.trainedTokens,
                            model.shape.attentionScale, model.shape.ropeMagnitude, breathe});
}

std::unique_ptr<PositionScheme> makePositions(const LoadedModel& model, const TextRun::Settings& settings) {
  // An onlooker sees everything: at the distances of a method that does so too, else at true ones.
  return settings.onlooker && settings.method.sees == Sees::Budget
             ? ropePositions(0, {})
             : settings.method.makePositions(reachOf(settings.budgetTokens, model.shape.trainedTokens));
}

int boundOf(const TextRun::Settings& settings) {
  return settings.onlooker || settings.method.sees == Sees::WholeDocument ? 0 : settings.budgetTokens;
}

std::unique_ptr<MemoryChunks> makeMemory(const LoadedModel& model, const KvCodec& codec,
                                         const KvPolicy& policy) {
  return std::make_unique<MemoryChunks>(KvCache::slotBytes(model.kvShape(), codec, policy.needs().extras));
}

}  // namespace

TextRun::TextRun(const LoadedModel& model, Settings settings, ChunkStore* store)
    : model_(model),
      codec_(readingCodec(settings.method)(typeOf(model.form))),
      keptCodec_(settings.method.codec.make(typeOf(model.form))),
      isOnlooker_(settings.onlooker != nullptr),
      positions_(makePositions(model, settings)),
      budgetTokens_(boundOf(settings)),
      policy_(isOnlooker_ ? std::move(settings.onlooker)
                          : makePolicy(model, settings.method, settings.budgetTokens, settings.documentTokens,
                                       std::move(settings.wishes), settings.breathe)),
      memory_(store ? nullptr : makeMemory(model, *codec_, *policy_)),
      cache_(model.kvShape(), *codec_, store ? *store : *memory_, policy_->needs().extras, keptCodec_.get()),
      pass_({model.shape, settings.isAdapted ? model.adapted : model.weights, model.beaconWeights, model.form,
             *policy_, *positions_, cache_, budgetTokens_, settings.tap, !isOnlooker_, settings.breathe,
             model.device.get(), settings.mostUnpacked}) {}

ChunkFileHeader TextRun::fileHeader(const LoadedModel& model, const Method& method, int budgetTokens,
                                    int documentTokens) {
  // Chunks of one step are written before those they look back to may go.
  constexpr int kMostStepChunks = 32;
  const auto codec = method.codec.make(typeOf(model.form));
  const KvPolicy::Needs needs = makePolicy(model, method, budgetTokens, documentTokens)->needs();
  ChunkFileHeader header;
  header.slotBytes = KvCache::slotBytes(model.kvShape(), *codec, needs.extras);
  header.chunks = static_cast<std::uint32_t>((documentTokens + kChunkTokens - 1) / kChunkTokens);
  header.layers = static_cast<std::uint32_t>(model.shape.layers);
  header.indexFloats = static_cast<std::uint32_t>(needs.extras.indexFloats);
  if (needs.keptTokens > 0)
    header.ring = static_cast<std::uint32_t>(needs.keptTokens / kChunkTokens + 2 + kMostStepChunks);
  if (needs.extras.keptTokens > 0) header.ring = static_cast<std::uint32_t>(needs.extras.keptSlots() - 1);
  return header;
}

ChunkFileHeader TextRun::readingHeader(const LoadedModel& model, const Method& method, int budgetTokens,
                                       int documentTokens) {
  Method reading = method;
  reading.codec.make = readingCodec(method);
  ChunkFileHeader header = fileHeader(model, reading, budgetTokens, documentTokens);
  if (method.sees == Sees::BudgetOnceRead) header.ring = 0;
  return header;
}

std::size_t TextRun::bytesInMemory() const {
  return pass_.bytes() + cache_.bytesInMemory() + policy_->bytes() + (memory_ ? memory_->bytes() : 0);
}

bool TextRun::isKeptWhole() const { return policy_->needs().extras.keptTokens == 0; }

void TextRun::keepInto(ChunkStore& store) {
  const KvCache::Extras extras = policy_->needs().extras;
  KvCache kept(cache_.shape(), *keptCodec_, store, extras);
  kept.adopt(cache_.runs());
  for (int layer = 0; layer < model_.shape.layers; ++layer) {
    if (model_.shape.isLocal(layer)) {
      for (int chunk = std::max(0, cache_.chunks() - extras.keptSlots()); chunk < cache_.chunks(); ++chunk)
        kept.write(layer, chunk, cache_.read(layer, chunk));
      continue;
    }
    const at::Tensor tokens = policy_->select(layer, {cache_.chunks(), cache_.tokens(), 0}, {}, cache_).kept;
    kept.writeKept(layer, cache_.readKept(layer, tokens), tokens);
  }
}

at::Tensor TextRun::read(std::span<const TokenId> tokens, int stepTokens,
                         const std::function<void(int chunks)>& afterStep) {
  constexpr int kMostStepTokens = 32 * kChunkTokens;
  const int step = std::clamp(stepTokens / kChunkTokens, 1, kMostStepTokens / kChunkTokens) * kChunkTokens;
  const auto all = static_cast<int>(tokens.size());
  // What is asked is retrieved for by its last chunk, which is whole wherever there are tokens for it.
  const bool isAsked = cache_.isTail(cache_.chunks());
  int size = isAsked && all % kChunkTokens > 0 ? all % kChunkTokens : kChunkTokens;
  at::Tensor last;
  for (int done = 0; done < all;) {
    const int first = done, firstChunk = cache_.chunks();
    for (; done < all && (done == first || done + size - first <= step); size = kChunkTokens) {
      size = std::min(size, all - done);
      cache_.open(size);
      done += size;
    }
    last = pass_.read(tokens.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(done - first)),
                      firstChunk, Outputs::LastRow);
    cache_.storeNotes();
    if (afterStep) afterStep(cache_.chunks());
  }
  return last;
}

at::Tensor TextRun::readAfter(const std::vector<Run>& chunks, std::span<const TokenId> asked) {
  cache_.adopt(chunks);
  cache_.startTail();
  return read(asked, static_cast<int>(asked.size()) + kChunkTokens);
}

}  // namespace kvasir
