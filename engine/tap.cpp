#include "engine/tap.h"

namespace kvasir {

void EvidenceTap::select(int layer, const Selection& selection, const Block& block, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto chunks = static_cast<std::size_t>(cache.chunks());
  record.attended.resize(chunks);
  // The question's scores stay when the answer's are taken: they are what the evidence is judged by.
  if (block.tokens > 1 || record.scores.empty()) record.scores = selection.scores;
  const int firstVisible = selection.window > 0 ? block.first + block.tokens - selection.window : 0;
  for (const Run& run : selection.runs)
    for (int chunk = cache.chunkOf(run.begin); chunk < cache.chunks() && cache.chunk(chunk).begin < run.end; ++chunk)
      if (cache.chunk(chunk).end > firstVisible || run.begin < selection.sinks)
        record.attended[static_cast<std::size_t>(chunk)] = 1;
}

void EvidenceTap::weigh(int layer, const GatheredKv& gathered, int from, const at::Tensor& sums, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto heads = static_cast<std::size_t>(heads_);
  record.mass.resize(std::max(record.mass.size(), static_cast<std::size_t>(cache.chunks()) * heads));
  const at::Tensor received = sums.contiguous();
  const std::int64_t keys = received.size(1);
  int key = 0;  // place among the gathered keys
  for (const PlacedRun& placed : gathered.runs()) {
    for (int chunk = cache.chunkOf(placed.run.begin), token = placed.run.begin; token < placed.run.end; ++chunk) {
      const int end = std::min(cache.chunk(chunk).end, placed.run.end);
      const int hidden = std::max({0, from - key, firstTextToken_ - token});
      for (std::size_t head = 0; head < heads; ++head) {
        const float* row = received.const_data_ptr<float>() + static_cast<std::int64_t>(head) * keys + key - from;
        double sum = 0;
        for (int i = hidden; i < end - token; ++i) sum += row[i];
        record.mass[static_cast<std::size_t>(chunk) * heads + head] += sum;
      }
      key += end - token;
      token = end;
    }
  }
}

EvidenceMap EvidenceTap::map(int chunks) const {
  const auto layers = layers_.size(), count = static_cast<std::size_t>(chunks), heads = static_cast<std::size_t>(heads_);
  EvidenceMap map;
  map.layers = static_cast<int>(layers);
  map.chunks = chunks;
  map.heads = heads_;
  map.headMass.resize(layers * heads * count);
  const double queries = std::max(1, queries_);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const Layer& record = layers_[layer];
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
      map.scores.push_back(chunk < record.scores.size() ? record.scores[chunk] : std::numeric_limits<float>::quiet_NaN());
      map.attended.push_back(chunk < record.attended.size() ? record.attended[chunk] : 0);
      double sum = 0;
      for (std::size_t head = 0; head < heads; ++head) {
        const std::size_t at = chunk * heads + head;
        const double mass = at < record.mass.size() ? record.mass[at] / queries : 0;
        map.headMass[(layer * heads + head) * count + chunk] = static_cast<float>(mass);
        sum += mass;
      }
      map.mass.push_back(static_cast<float>(sum / static_cast<double>(heads)));
    }
  }
  return map;
}

}  // namespace kvasir
