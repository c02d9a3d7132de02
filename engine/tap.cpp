#include "engine/tap.h"

namespace kvasir {

void EvidenceTap::select(int layer, const Selection& selection, const Block& block, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto chunks = static_cast<std::size_t>(cache.chunks());
  record.attended.resize(chunks);
  record.mass.resize(chunks);
  // The question's scores stay when the answer's are taken: they are what the evidence is judged by.
  if (block.tokens > 1 || record.scores.empty()) record.scores = selection.scores;
  const int firstVisible = selection.window > 0 ? block.first + block.tokens - selection.window : 0;
  for (const Run& run : selection.runs)
    for (int chunk = cache.chunkOf(run.begin); chunk < cache.chunks() && cache.chunk(chunk).begin < run.end; ++chunk)
      if (cache.chunk(chunk).end > firstVisible || run.begin < selection.sinks)
        record.attended[static_cast<std::size_t>(chunk)] = 1;
}

void EvidenceTap::weigh(int layer, const GatheredKv& gathered, int from, const float* sums, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  record.mass.resize(std::max(record.mass.size(), static_cast<std::size_t>(cache.chunks())));
  int key = 0;  // place among the gathered keys
  for (const PlacedRun& placed : gathered.runs()) {
    for (int chunk = cache.chunkOf(placed.run.begin), token = placed.run.begin; token < placed.run.end; ++chunk) {
      const int end = std::min(cache.chunk(chunk).end, placed.run.end);
      double sum = 0;
      for (; token < end; ++token, ++key)
        if (key >= from && token >= firstTextToken_) sum += sums[key - from];
      record.mass[static_cast<std::size_t>(chunk)] += sum;
    }
  }
}

EvidenceMap EvidenceTap::map(int chunks) const {
  EvidenceMap map;
  map.layers = static_cast<int>(layers_.size());
  map.chunks = chunks;
  const double whole = std::max(1.0, static_cast<double>(queries_) * heads_);
  for (const Layer& layer : layers_)
    for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk) {
      map.scores.push_back(chunk < layer.scores.size() ? layer.scores[chunk] : std::numeric_limits<float>::quiet_NaN());
      map.mass.push_back(chunk < layer.mass.size() ? static_cast<float>(layer.mass[chunk] / whole) : 0.0f);
      map.attended.push_back(chunk < layer.attended.size() ? layer.attended[chunk] : 0);
    }
  return map;
}

}  // namespace kvasir
