#include "engine/retrieval/landmarks.h"

#include "engine/retrieval/sentence_embedder.h"

namespace kvasir {
namespace {

constexpr int kLeastTokens = 9;  // of a sentence: so no more than kLandmarksEach end in a chunk
constexpr int kMostTokens = kChunkTokens;
static_assert((kChunkTokens - 1) / kLeastTokens + 2 <= kLandmarksEach);

/// A stretch of sentences that are embedded together, with those around the ones that end in a chunk.
struct SentenceWindow {
  std::vector<int> sentences;
  SentenceEmbedder::Window pieces;
};

class WindowMaker {
 public:
  WindowMaker(const TokenText& text, const LandmarkText& landmarks, const SentenceEmbedder& embedder)
      : text_(text), landmarks_(landmarks), embedder_(embedder), pieces_(landmarks.sentences.size()) {}

  /// The sentences that end in a chunk, then one before them and one after them in turn, while they fit whole.
  SentenceWindow around(int chunk) {
    const auto [from, to] = std::ranges::equal_range(landmarks_.chunks, chunk);
    int first = static_cast<int>(from - landmarks_.chunks.begin()),
        end = static_cast<int>(to - landmarks_.chunks.begin());
    int room = embedder_.mostInside();
    for (int i = first; i < end; ++i) room -= static_cast<int>(piecesOf(i).size());
    for (bool goesOn = first < end; goesOn;) {
      goesOn = false;
      if (first > 0 && follow(first - 1, first) && fits(first - 1, room)) goesOn = true, --first;
      if (end < sentences() && follow(end - 1, end) && fits(end, room)) goesOn = true, ++end;
    }
    SentenceWindow window;
    for (int i = first; i < end; ++i) {
      window.sentences.push_back(i);
      window.pieces.add(piecesOf(i));
    }
    return window;
  }

 private:
  int sentences() const { return static_cast<int>(pieces_.size()); }
  /// Whether two stand in one document.
  bool follow(int one, int next) const {
    return landmarks_.sentences[static_cast<std::size_t>(one)].end ==
           landmarks_.sentences[static_cast<std::size_t>(next)].begin;
  }
  bool fits(int sentence, int& room) {
    const int size = static_cast<int>(piecesOf(sentence).size());
    if (size > room) return false;
    room -= size;
    return true;
  }
  const std::vector<int>& piecesOf(int sentence) {
    auto& pieces = pieces_[static_cast<std::size_t>(sentence)];
    if (!pieces)
      pieces = embedder_.piecesInside(text_.textOf(landmarks_.sentences[static_cast<std::size_t>(sentence)]));
    return *pieces;
  }

  const TokenText& text_;
  const LandmarkText& landmarks_;
  const SentenceEmbedder& embedder_;
  std::vector<std::optional<std::vector<int>>> pieces_;
};

class LandmarkPassages : public PassageRetriever {
 public:
  LandmarkPassages(const SentenceEmbedder& embedder, double before)
      : embedder_(embedder), before_(static_cast<float>(before)) {}

  int indexFloats() const override { return kLandmarksEach * embedder_.width(); }

  std::vector<float> index(const TokenText& text, Run chunks,
                           const std::function<void()>& breathe) const override {
    const LandmarkText landmarks = landmarkText(text);
    WindowMaker maker(text, landmarks, embedder_);
    std::vector<SentenceWindow> windows;
    std::vector<SentenceEmbedder::Window> pieces;
    // A chunk's sentences also stand in the windows of its neighbours.
    const int last = std::min(chunks.end + 1, static_cast<int>(text.chunks.size()));
    for (int chunk = std::max(0, chunks.begin - 1); chunk < last; ++chunk) {
      windows.push_back(maker.around(chunk));
      pieces.push_back(windows.back().pieces);
    }
    const at::Tensor states = embedder_.embedParts(pieces, breathe);
    at::Tensor entries = at::zeros({chunks.end - chunks.begin, kLandmarksEach, embedder_.width()});
    std::int64_t row = 0;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const int around = std::max(0, chunks.begin - 1) + static_cast<int>(i);
      for (const int sentence : windows[i].sentences) {
        const int chunk = landmarks.chunks[static_cast<std::size_t>(sentence)],
                  place = placeOf(landmarks, sentence);
        const at::Tensor state = states[row++];
        if (std::abs(chunk - around) > 1 || chunk < chunks.begin || chunk >= chunks.end) continue;
        entries[chunk - chunks.begin][place] += state;
      }
    }
    entries /= entries.norm(2, 2, true).clamp_min(1e-12);
    const at::Tensor rows = entries.contiguous();
    return {rows.const_data_ptr<float>(), rows.const_data_ptr<float>() + rows.numel()};
  }

  std::vector<ScoredPassage> find(const TokenText& text, std::span<const float> index,
                                  std::string_view question) const override {
    if (text.chunks.empty()) return {};
    const LandmarkText landmarks = landmarkText(text);
    const std::string asked(question);
    const at::Tensor entries = at::from_blob(
        const_cast<float*>(index.data()),
        {static_cast<std::int64_t>(text.chunks.size()) * kLandmarksEach, embedder_.width()}, at::kFloat);
    const at::Tensor cosines = at::mv(entries, embedder_.embed({&asked, 1})[0]).contiguous();
    const int end = text.chunks.back().end, whole = static_cast<int>(text.chunks.size());
    std::vector<float> scores;
    for (int i = 0; i < std::ssize(landmarks.sentences); ++i) {
      const int chunk = landmarks.chunks[static_cast<std::size_t>(i)];
      const std::int64_t row = std::int64_t{chunk} * kLandmarksEach + placeOf(landmarks, i);
      scores.push_back(chunk < whole ? std::max(0.0f, cosines.const_data_ptr<float>()[row]) : 0);
    }
    std::vector<ScoredPassage> found;
    for (int i = 0; i < std::ssize(landmarks.sentences); ++i) {
      const Run sentence = landmarks.sentences[static_cast<std::size_t>(i)];
      if (sentence.begin >= end) break;
      const int first = spanStart(landmarks.sentences, i), last = std::min(sentence.end, end);
      found.push_back({{landmarks.sentences[static_cast<std::size_t>(first)].begin, last},
                       {sentence.begin, last},
                       spanScore(scores, first, i, before_)});
    }
    return found;
  }

 private:
  /// Its place among the sentences that end in the same chunk.
  static int placeOf(const LandmarkText& landmarks, int sentence) {
    const int chunk = landmarks.chunks[static_cast<std::size_t>(sentence)];
    const auto first = std::ranges::lower_bound(landmarks.chunks, chunk) - landmarks.chunks.begin();
    return std::min(sentence - static_cast<int>(first), kLandmarksEach - 1);
  }

  const SentenceEmbedder& embedder_;
  float before_;
};

}  // namespace

LandmarkText landmarkText(const TokenText& text) {
  LandmarkText made{sentencesOf(text, kLeastTokens, kMostTokens), {}};
  for (const Run& sentence : made.sentences) {
    const auto chunk = std::ranges::upper_bound(text.chunks, sentence.end - 1, {}, &Run::end);
    made.chunks.push_back(static_cast<int>(chunk - text.chunks.begin()));
  }
  return made;
}

int spanStart(const std::vector<Run>& sentences, int last) {
  const auto at = [&](int i) { return sentences[static_cast<std::size_t>(i)]; };
  int first = last;
  while (first > 0 && at(first - 1).end == at(first).begin &&
         at(last).end - at(first - 1).begin <= kChunkTokens)
    --first;
  return first;
}

float spanScore(const std::vector<float>& scores, int first, int last, float before) {
  float sum = 0, weights = 0, weight = 1;
  for (int i = last; i >= first; --i, weight *= before) {
    sum += weight * scores[static_cast<std::size_t>(i)];
    weights += weight;
  }
  return sum / weights;
}

std::unique_ptr<PassageRetriever> landmarkPassages(const FindEmbedder& embedder, const Numbers& numbers) {
  return std::make_unique<LandmarkPassages>(embedder(), numbers["before"]);
}

}  // namespace kvasir
