#include "engine/tap.h"

#include <cassert>

namespace kvasir {
namespace {

// Of the chunks a token saw in a layer, so many are kept; what is smaller than the least share shows in no map.
constexpr std::size_t kMostShares = 64;
constexpr float kLeastShare = 1e-4f;

/// In the order of chunks.
void keepLargest(std::vector<AnswerLook::Share>& shares) {
  if (shares.size() > kMostShares) {
    std::ranges::nth_element(shares, shares.begin() + kMostShares, std::ranges::greater(),
                             &AnswerLook::Share::mass);
    shares.resize(kMostShares);
  }
  std::ranges::sort(shares, {}, &AnswerLook::Share::chunk);
}

}  // namespace

void EvidenceTap::select(int layer, const Selection& selection, const Block& block, const KvCache& cache) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  if (chunks_.size() < cache.runs().size()) chunks_ = cache.runs();
  record.seen.resize(chunks_.size());
  // The question's scores stay when the answer's are taken: they are what the evidence is judged by.
  if (block.tokens > 1 || record.scores.empty()) {
    record.scores = selection.scores;
    record.words = selection.words;
  }
  if (selection.kept.defined()) {
    const auto kept = selection.kept.accessor<std::int64_t, 2>();
    record.named.resize(static_cast<std::size_t>(kept.size(0)));
    for (std::int64_t head = 0; head < kept.size(0); ++head) {
      std::vector<Tokens>& named = record.named[static_cast<std::size_t>(head)];
      named.resize(chunks_.size());
      for (std::int64_t i = 0; i < kept.size(1); ++i) {
        const auto token = static_cast<int>(kept[head][i]), chunk = cache.chunkOf(token);
        named[static_cast<std::size_t>(chunk)].set(static_cast<std::size_t>(token - cache.chunk(chunk).begin));
      }
    }
  }
  if (selection.beacons.count() > 0) record.isCondensed.resize(chunks_.size());
  for (int chunk = 0; chunk < cache.chunks() && selection.beacons.count() > 0; ++chunk)
    if (const Run run = cache.chunk(chunk);
        selection.beacons.run.begin <= run.begin && run.end <= selection.beacons.run.end)
      record.isCondensed[static_cast<std::size_t>(chunk)] = 1;
  const int firstVisible = selection.window > 0 ? block.first + block.tokens - selection.window : 0;
  for (const Run& run : selection.runs) {
    see(record, {run.begin, std::min(run.end, selection.sinks)}, cache);
    see(record, {std::max(run.begin, firstVisible), run.end}, cache);
  }
}

void EvidenceTap::see(Layer& record, Run tokens, const KvCache& cache) {
  if (tokens.begin >= tokens.end) return;
  for (int chunk = cache.chunkOf(tokens.begin); chunk < cache.chunks(); ++chunk) {
    const Run run = cache.chunk(chunk);
    if (run.begin >= tokens.end) return;
    auto& seen = record.seen[static_cast<std::size_t>(chunk)];
    if (tokens.begin <= run.begin && run.end <= tokens.end) {
      seen.set();
      continue;
    }
    for (int token = std::max(run.begin, tokens.begin); token < std::min(run.end, tokens.end); ++token)
      seen.set(static_cast<std::size_t>(token - run.begin));
  }
}

void EvidenceTap::weigh(int layer, const GatheredKv& gathered, int from, const at::Tensor& sums,
                        const KvCache& cache, int place) {
  Layer& record = layers_[static_cast<std::size_t>(layer)];
  const auto heads = static_cast<std::size_t>(heads_), at = static_cast<std::size_t>(place);
  if (record.uncounted.size() <= at) record.uncounted.resize(at + 1);
  Uncounted& mass = record.uncounted[at];
  mass.makeRoom(static_cast<std::size_t>(cache.chunks()), heads);
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
        mass.add(cache.chunkOf(token), head, row[i]);
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
        mass.add(chunk, head, static_cast<float>(sum));
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

void EvidenceTap::Uncounted::makeRoom(std::size_t chunks, std::size_t heads) {
  heads_ = heads;
  if (isIn_.size() >= chunks) return;
  isIn_.resize(chunks);
  mass_.resize(chunks * heads);
}

void EvidenceTap::Uncounted::add(int chunk, std::size_t head, float share) {
  mass_[at(chunk) + head] += share;
  if (std::exchange(isIn_[static_cast<std::size_t>(chunk)], std::uint8_t{1}) == 0) chunks_.push_back(chunk);
}

void EvidenceTap::Uncounted::clear() {
  for (const int chunk : chunks_) {
    std::fill_n(mass_.data() + at(chunk), heads_, 0.0f);
    isIn_[static_cast<std::size_t>(chunk)] = 0;
  }
  chunks_.clear();
}

std::size_t EvidenceTap::Uncounted::bytes() const {
  return mass_.capacity() * sizeof(float) + isIn_.capacity() + chunks_.capacity() * sizeof(int);
}

void EvidenceTap::countQueries(int queries) {
  queries_ += queries;
  const auto heads = static_cast<std::size_t>(heads_);
  AnswerLook look;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    Layer& record = layers_[layer];
    if (record.uncounted.empty()) continue;
    Uncounted& first = record.uncounted.front();
    record.mass.resize(std::max(record.mass.size(), first.size()));
    std::vector<AnswerLook::Share> shares;
    for (const int chunk : first.chunks()) {
      double* counted = record.mass.data() + static_cast<std::size_t>(chunk) * heads;
      float sum = 0;
      for (const float mass : first.of(chunk)) {
        *counted++ += mass;
        sum += mass;
      }
      const float mass = sum / static_cast<float>(queries * heads_);
      if (mass >= kLeastShare)
        shares.push_back({static_cast<std::int16_t>(layer), static_cast<std::int32_t>(chunk), mass});
    }
    first.clear();
    std::ranges::rotate(record.uncounted, record.uncounted.begin() + 1);
    keepLargest(shares);
    look.shares.insert(look.shares.end(), shares.begin(), shares.end());
  }
  looks_.push_back(std::move(look));
}

void EvidenceTap::forgetUncounted() {
  for (Layer& layer : layers_)
    for (Uncounted& mass : layer.uncounted) mass.clear();
}

std::vector<AnswerLook> EvidenceTap::looks(int chunks) const {
  std::vector<AnswerLook> looks = looks_;
  for (AnswerLook& look : looks)
    std::erase_if(look.shares, [&](const AnswerLook::Share& share) { return share.chunk >= chunks; });
  return looks;
}

std::size_t EvidenceTap::bytes() const {
  const auto of = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  std::size_t sum = of(looks_) + of(chunks_);
  for (const Layer& layer : layers_) {
    sum += of(layer.scores) + of(layer.words) + of(layer.mass) + of(layer.seen) + of(layer.named) +
           of(layer.isCondensed);
    for (const std::vector<Tokens>& named : layer.named) sum += of(named);
    for (const Uncounted& mass : layer.uncounted) sum += mass.bytes();
  }
  for (const AnswerLook& look : looks_) sum += of(look.shares);
  return sum;
}

std::vector<float> EvidenceTap::rowsOf(std::vector<float> Layer::*values, int chunks) const {
  std::vector<float> rows;
  for (const Layer& layer : layers_) {
    const std::vector<float>& row = layer.*values;
    for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk)
      rows.push_back(chunk < row.size() ? row[chunk] : std::numeric_limits<float>::quiet_NaN());
  }
  return rows;
}

std::vector<float> EvidenceTap::scores(int chunks) const { return rowsOf(&Layer::scores, chunks); }

std::vector<float> EvidenceTap::words(int chunks) const {
  const bool hasSome = std::ranges::any_of(layers_, [](const Layer& layer) { return !layer.words.empty(); });
  return hasSome ? rowsOf(&Layer::words, chunks) : std::vector<float>();
}

std::vector<EvidenceTap::Part> EvidenceTap::parts(int chunks) const {
  std::vector<Part> parts;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const Layer& record = layers_[layer];
    for (std::size_t chunk = 0; chunk < std::min(chunks_.size(), static_cast<std::size_t>(chunks)); ++chunk) {
      const Tokens seen = seenByAny(record, chunk);
      const Run run = chunks_[chunk];
      const bool isWhole = seen.count() >= static_cast<std::size_t>(run.end - run.begin);
      if (isWhole || !isAttended(record, chunk)) continue;
      Part part{static_cast<int>(layer), static_cast<int>(chunk), {}};
      for (int token = run.begin; token < run.end; ++token) {
        if (!seen.test(static_cast<std::size_t>(token - run.begin))) continue;
        if (part.tokens.empty() || part.tokens.back().end < token) part.tokens.push_back({token, token});
        ++part.tokens.back().end;
      }
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

EvidenceTap::Tokens EvidenceTap::seenByAny(const Layer& record, std::size_t chunk) {
  Tokens seen;
  if (chunk < record.seen.size()) seen = record.seen[chunk];
  for (const std::vector<Tokens>& named : record.named)
    if (chunk < named.size()) seen |= named[chunk];
  return seen;
}

bool EvidenceTap::isAttended(const Layer& record, std::size_t chunk) {
  const bool isCondensed = chunk < record.isCondensed.size() && record.isCondensed[chunk] != 0;
  return isCondensed || seenByAny(record, chunk).any();
}

float EvidenceTap::shareSeen(const Layer& record, std::size_t chunk, const Tokens& of) {
  if (of.none()) return 1;
  Tokens byEvery;
  if (chunk < record.seen.size()) byEvery = record.seen[chunk];
  std::size_t seen = 0;  // summed over the heads
  for (const std::vector<Tokens>& named : record.named)
    seen += ((chunk < named.size() ? byEvery | named[chunk] : byEvery) & of).count();
  if (record.named.empty()) seen = (byEvery & of).count();
  const std::size_t all = of.count() * std::max<std::size_t>(1, record.named.size());
  return static_cast<float>(static_cast<double>(seen) / static_cast<double>(all));
}

EvidenceTap::Tokens EvidenceTap::textOf(std::size_t chunk) const {
  Tokens text;
  if (chunk >= chunks_.size()) return text;
  const Run run = chunks_[chunk];
  for (int token = run.begin; token < run.end; ++token)
    if (textFrom(token) == token) text.set(static_cast<std::size_t>(token - run.begin));
  return text;
}

EvidenceMap EvidenceTap::map(int chunks) const {
  const auto layers = layers_.size(), count = static_cast<std::size_t>(chunks),
             heads = static_cast<std::size_t>(heads_);
  EvidenceMap map;
  map.layers = static_cast<int>(layers);
  map.chunks = chunks;
  map.heads = heads_;
  map.scores = scores(chunks);
  map.words = words(chunks);
  map.headMass.resize(layers * heads * count);
  std::vector<Tokens> texts;
  for (std::size_t chunk = 0; chunk < count; ++chunk) texts.push_back(textOf(chunk));
  const double queries = std::max(1, queries_);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const Layer& record = layers_[layer];
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
      map.attended.push_back(isAttended(record, chunk) ? 1 : 0);
      map.seenShare.push_back(map.attended.back() ? shareSeen(record, chunk, texts[chunk]) : 0.0f);
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
