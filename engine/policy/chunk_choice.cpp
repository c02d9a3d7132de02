#include "engine/policy/chunk_choice.h"

#include "engine/threads.h"
#include "kernels/chunk_scores.h"

namespace kvasir {
namespace {

/// The `most` best of the chunks of [begin, end) that have a score, best first; of equals the earlier.
std::vector<int> bestOf(const std::vector<float>& scores, int begin, int end, int most) {
  std::vector<int> order;
  const auto score = [&](int chunk) { return scores[static_cast<std::size_t>(chunk)]; };
  for (int chunk = begin; chunk < end; ++chunk)
    if (!std::isnan(score(chunk))) order.push_back(chunk);
  const auto kept = std::min(order.size(), static_cast<std::size_t>(most));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](int a, int b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
  order.resize(kept);
  return order;
}

bool holds(const std::vector<int>& chunks, int chunk) {
  return std::ranges::find(chunks, chunk) != chunks.end();
}

/// Fills what the budget leaves.
class Room {
 public:
  Room(const Block& block, const KvCache& cache, const PolicySettings& settings)
      : cache_(cache),
        blocked_(settings.wishes.blocked),
        before_(block.chunk),
        left_(settings.budgetTokens - kChunkTokens) {
    if (block.first + block.tokens <= settings.budgetTokens) left_ = std::numeric_limits<int>::max();
  }

  /// Skips what is blocked, taken already, not there or too long for what is left.
  void take(int chunk) {
    if (chunk < 0 || chunk >= before_ || (chunk > 0 && holds(blocked_, chunk)) || holds(chosen_, chunk)) return;
    const Run run = cache_.chunk(chunk);
    if (run.end - run.begin > left_) return;
    left_ -= run.end - run.begin;
    chosen_.push_back(chunk);
  }
  bool hasRoomForAll() const { return left_ > std::numeric_limits<int>::max() / 2; }

  std::vector<int> chosen() && {
    std::ranges::sort(chosen_);
    return std::move(chosen_);
  }

 private:
  const KvCache& cache_;
  const std::vector<int>& blocked_;
  int before_, left_;
  std::vector<int> chosen_;
};

}  // namespace

int recentChunks(const PolicySettings& settings) {
  return std::max(1, static_cast<int>(settings.budgetTokens / kChunkTokens * settings.numbers["recent"]));
}

int firstRecentChunk(const Block& block, const KvCache& cache, const PolicySettings& settings) {
  int first = block.chunk;
  if (!cache.isTail(block.chunk)) return std::max(0, first - recentChunks(settings));
  while (first > 0 && cache.isTail(first)) --first;
  return first;
}

std::vector<Run> chunksBefore(const Block& block, const KvCache& cache, const std::vector<int>& blocked) {
  std::vector<Run> runs;
  for (int chunk = 0; chunk < block.chunk; ++chunk)
    if (chunk == 0 || !holds(blocked, chunk)) runs.push_back(cache.chunk(chunk));
  return runs;
}

std::vector<int> chooseChunks(const Block& block, const KvCache& cache, const std::vector<float>& scores,
                              const PolicySettings& settings, int firstRecent) {
  Room room(block, cache, settings);
  if (room.hasRoomForAll()) {
    for (int chunk = 0; chunk < block.chunk; ++chunk) room.take(chunk);
    return std::move(room).chosen();
  }
  room.take(0);
  // The block before this one is context every sentence needs; pins may take the rest.
  room.take(block.chunk - 1);
  for (const int chunk : settings.wishes.pinned) room.take(chunk);
  for (int chunk = block.chunk - 2; chunk >= firstRecent; --chunk) room.take(chunk);
  // Some chunks are short, pinned or blocked, so that more of them may be looked at than fit.
  const int most = 2 * settings.budgetTokens / kChunkTokens + static_cast<int>(settings.wishes.blocked.size());
  if (!scores.empty())
    for (const int chunk : bestOf(scores, 1, firstRecent, most)) room.take(chunk);
  return std::move(room).chosen();
}

void addScores(const at::Tensor& entries, const at::Tensor& asked, float weight, std::span<float> scores) {
  const at::Tensor vector = asked.contiguous();
  ChunkScores sums;
  sums.entries = entries.const_data_ptr<float>();
  sums.stride = entries.stride(0);
  sums.width = static_cast<int>(entries.size(1));
  sums.asked = vector.const_data_ptr<float>();
  sums.weight = weight;
  sums.scores = scores.data();
  at::parallel_for(0, std::ssize(scores), std::max<std::int64_t>(1, kLeastProducts / sums.width),
                   [&](std::int64_t begin, std::int64_t end) { scoreChunks(sums, begin, end); });
}

std::vector<int> chunksWithoutEntry(int layer, Run chunks, const KvCache& cache) {
  const at::Tensor entries = cache.index(layer);
  std::vector<int> without;
  for (int chunk = chunks.begin; chunk < chunks.end; ++chunk)
    if (entries.const_data_ptr<float>()[chunk * entries.size(1)] == 0) without.push_back(chunk);
  return without;
}

void requireChunkBudget(int budgetTokens, const char* method) {
  constexpr int kFewestChunks = 4;
  if (budgetTokens >= kFewestChunks * kChunkTokens) return;
  throw std::runtime_error("The method " + std::string(method) + " needs a budget of at least " +
                           std::to_string(kFewestChunks * kChunkTokens) + " tokens.");
}

}  // namespace kvasir
