#include "engine/tap.h"

#include <cassert>

namespace kvasir {
namespace {

// Of the chunks a token saw in a layer, so many are kept; what is smaller than the least share shows in no map.
constexpr std::size_t kMostShares = 64;
constexpr float kLeastShare = 1e-4f;

}  // namespace

void EvidenceTap::select(int layer, const Selection& selection, const Block& block, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto chunks = static_cast<std::size_t>(cache.chunks());
  record.attended.resize(chunks);
  // The question's scores stay when the answer's are taken: they are what the evidence is judged by.
  if (block.tokens > 1 || record.scores.empty()) record.scores = selection.scores;
  if (selection.kept.defined()) {
    const auto kept = selection.kept.accessor<std::int64_t, 2>();
    for (std::int64_t head = 0; head < kept.size(0); ++head)
      for (std::int64_t i = 0; i < kept.size(1); ++i)
        record.attended[static_cast<std::size_t>(cache.chunkOf(static_cast<int>(kept[head][i])))] = 1;
  }
  for (int chunk = 0; chunk < cache.chunks() && selection.beacons.count() > 0; ++chunk)
    if (const Run run = cache.chunk(chunk);
        selection.beacons.run.begin <= run.begin && run.end <= selection.beacons.run.end)
      record.attended[static_cast<std::size_t>(chunk)] = 1;
  const int firstVisible = selection.window > 0 ? block.first + block.tokens - selection.window : 0;
  for (const Run& run : selection.runs)
    for (int chunk = cache.chunkOf(run.begin); chunk < cache.chunks() && cache.chunk(chunk).begin < run.end;
         ++chunk)
      if (cache.chunk(chunk).end > firstVisible || run.begin < selection.sinks)
        record.attended[static_cast<std::size_t>(chunk)] = 1;
}

void EvidenceTap::weigh(int layer, const GatheredKv& gathered, int from, const at::Tensor& sums,
                        const KvCache& cache, int place) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto heads = static_cast<std::size_t>(heads_), at = static_cast<std::size_t>(place);
  if (record.trials.size() <= at) record.trials.resize(at + 1);
  Trial& trial = record.trials[at];
  trial.mass.resize(std::max(trial.mass.size(), static_cast<std::size_t>(cache.chunks()) * heads));
  const at::Tensor received = sums.contiguous();
  const std::int64_t keys = received.size(1);
  if (const int kept = gathered.keptCount(); kept > 0) {
    assert(from == 0);
    const auto tokens = gathered.kept().accessor<std::int64_t, 2>();
    for (std::size_t head = 0; head < heads; ++head) {
      const float* row = received.const_data_ptr<float>() + static_cast<std::int64_t>(head) * keys;
      const auto named = tokens[static_cast<std::int64_t>(head) * tokens.size(0) / heads_];
      for (int i = 0; i < kept; ++i) {
        const int token = static_cast<int>(named[i]);
        if (textFrom(token) != token) continue;
        trial.add(cache.chunkOf(token), head, heads, row[i]);
      }
    }
  }
  int key = gathered.keptCount();  // place among the gathered keys
  for (const PlacedRun& placed : gathered.runs()) {
    for (int chunk = cache.chunkOf(placed.run.begin), token = placed.run.begin; token < placed.run.end;
         ++chunk) {
      const int end = std::min(cache.chunk(chunk).end, placed.run.end);
      // What a beacon draws is of the tokens it stands for: a frame's as soon as it stands for one of those.
      const int each = std::max(1, placed.each), keysHere = (end - token) / each;
      const int hidden = std::max(from - key, (textFrom(token) - token + each - 1) / each);
      for (std::size_t head = 0; head < heads; ++head) {
        const float* row =
            received.const_data_ptr<float>() + static_cast<std::int64_t>(head) * keys + key - from;
        double sum = 0;
        for (int i = hidden; i < keysHere; ++i) sum += row[i];
        trial.add(chunk, head, heads, static_cast<float>(sum));
      }
      key += keysHere;
      token = end;
    }
  }
}

int EvidenceTap::textFrom(int token) const {
  for (const Run& frame : frames_)
    if (frame.begin <= token && token < frame.end) return frame.end;
  return token;
}

void EvidenceTap::Trial::clear(std::size_t heads) {
  for (const int chunk : chunks)
    std::fill_n(mass.begin() + static_cast<std::ptrdiff_t>(chunk) * static_cast<std::ptrdiff_t>(heads), heads,
                0.0f);
  chunks.clear();
}

void EvidenceTap::countQueries(int queries) {
  queries_ += queries;
  const auto heads = static_cast<std::size_t>(heads_);
  AnswerLook look;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    Layer& record = layers_[layer];
    if (record.trials.empty()) continue;
    Trial& trial = record.trials.front();
    record.mass.resize(std::max(record.mass.size(), trial.mass.size()));
    std::ranges::sort(trial.chunks);
    const auto again = std::ranges::unique(trial.chunks);
    trial.chunks.erase(again.begin(), again.end());
    std::vector<AnswerLook::Share> shares;
    for (const int chunk : trial.chunks) {
      float sum = 0;
      for (std::size_t at = static_cast<std::size_t>(chunk) * heads, end = at + heads; at < end; ++at) {
        record.mass[at] += trial.mass[at];
        sum += trial.mass[at];
      }
      const float mass = sum / static_cast<float>(queries * heads_);
      if (mass >= kLeastShare)
        shares.push_back({static_cast<std::int16_t>(layer), static_cast<std::int32_t>(chunk), mass});
    }
    trial.clear(heads);
    std::ranges::rotate(record.trials, record.trials.begin() + 1);
    if (shares.size() > kMostShares) {
      std::ranges::nth_element(shares, shares.begin() + kMostShares, std::ranges::greater(),
                               &AnswerLook::Share::mass);
      shares.resize(kMostShares);
    }
    look.shares.insert(look.shares.end(), shares.begin(), shares.end());
  }
  looks_.push_back(std::move(look));
}

void EvidenceTap::forgetTrials() {
  for (Layer& layer : layers_)
    for (Trial& trial : layer.trials) trial.clear(static_cast<std::size_t>(heads_));
}

std::vector<AnswerLook> EvidenceTap::looks(int chunks) const {
  std::vector<AnswerLook> looks = looks_;
  for (AnswerLook& look : looks)
    std::erase_if(look.shares, [&](const AnswerLook::Share& share) { return share.chunk >= chunks; });
  return looks;
}

std::size_t EvidenceTap::bytes() const {
  const auto of = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  std::size_t sum = of(looks_);
  for (const Layer& layer : layers_) {
    sum += of(layer.scores) + of(layer.mass) + of(layer.attended);
    for (const Trial& trial : layer.trials) sum += of(trial.mass) + of(trial.chunks);
  }
  for (const AnswerLook& look : looks_) sum += of(look.shares);
  return sum;
}

std::vector<float> EvidenceTap::scores(int chunks) const {
  std::vector<float> scores;
  for (const Layer& layer : layers_)
    for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk)
      scores.push_back(chunk < layer.scores.size() ? layer.scores[chunk]
                                                   : std::numeric_limits<float>::quiet_NaN());
  return scores;
}

EvidenceMap EvidenceTap::map(int chunks) const {
  const auto layers = layers_.size(), count = static_cast<std::size_t>(chunks),
             heads = static_cast<std::size_t>(heads_);
  EvidenceMap map;
  map.layers = static_cast<int>(layers);
  map.chunks = chunks;
  map.heads = heads_;
  map.scores = scores(chunks);
  map.headMass.resize(layers * heads * count);
  const double queries = std::max(1, queries_);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const Layer& record = layers_[layer];
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
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
