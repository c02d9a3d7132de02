#include "engine/training/train_retriever.h"

#include "engine/reading.h"
#include "engine/text_run.h"
#include "engine/training/training_loop.h"

namespace kvasir {
namespace {

constexpr const char* kRead = "whitened";  // how texts are read
constexpr int kMostHeldOut = 24;           // texts
constexpr int kStepTokens = 1024;
constexpr double kEachLayersShare = 0.2;  // of the loss of questions
constexpr int kSeenAnyway = 3;  // chunks of the budget that are not retrieved: first, last, the question's own

/// A copy that gradients may pass through: what the engine computes may not be remembered for them.
at::Tensor kept(const at::Tensor& states) {
  const c10::InferenceMode noInference(false);
  return at::empty(states.sizes(), states.scalar_type()).copy_(states);
}

struct Tokens {
  std::vector<TokenId> ids;
  std::vector<RetrieverLesson::Stretch> places;  ///< bytes of each; empty for the frame
};

Tokens tokensOf(const LoadedModel& model, const std::string& text) {
  Tokens tokens;
  tokens.ids = framePrefix(model);
  tokens.places.resize(tokens.ids.size());
  for (const Token& token : model.tokenizer->encode(text)) {
    tokens.ids.push_back(token.id);
    tokens.places.push_back({token.start, token.end});
  }
  return tokens;
}

bool meet(const RetrieverLesson::Stretch& a, const RetrieverLesson::Stretch& b) {
  return a.start < b.end && b.start < a.end;
}

/// Bytes of each chunk's text.
std::vector<RetrieverLesson::Stretch> chunkPlaces(const Tokens& tokens) {
  std::vector<RetrieverLesson::Stretch> places;
  for (std::size_t first = 0; first < tokens.ids.size(); first += kChunkTokens) {
    RetrieverLesson::Stretch place;
    for (std::size_t i = first; i < std::min(tokens.ids.size(), first + kChunkTokens); ++i) {
      if (tokens.places[i].start == tokens.places[i].end) continue;
      if (place.end == 0) place.start = tokens.places[i].start;
      place.end = tokens.places[i].end;
    }
    places.push_back(place);
  }
  return places;
}

/// The document that holds a chunk's middle.
int documentOf(const RetrieverLesson::Stretch& place, const std::vector<RetrieverLesson::Stretch>& documents) {
  const std::size_t middle = (place.start + place.end) / 2;
  for (std::size_t i = 0; i < documents.size(); ++i)
    if (documents[i].start <= middle && middle < documents[i].end) return static_cast<int>(i);
  return -1;
}

/// Mean over rows of the loss of each row's gold columns. scores: [rows, columns]. isGold, isOther: the same
/// shape, of kBool; columns that are neither do not count. Rows without gold or others are left out.
at::Tensor contrast(const at::Tensor& scores, const at::Tensor& isGold, const at::Tensor& isOther) {
  const at::Tensor isUsed = isGold.any(1).logical_and(isOther.any(1));
  const at::Tensor rows = isUsed.nonzero().flatten();
  if (rows.numel() == 0) return at::zeros({});
  const at::Tensor own = scores.index_select(0, rows), gold = isGold.index_select(0, rows).to(at::kFloat);
  const at::Tensor others = at::logsumexp(own.masked_fill(isOther.index_select(0, rows).logical_not(), -1e9),
                                          std::vector<std::int64_t>{1}, true);
  const at::Tensor losses = at::logaddexp(own, others) - own;
  return ((losses * gold).sum(1) / gold.sum(1)).mean();
}

at::Tensor boolean(const std::vector<std::vector<char>>& rows, std::size_t columns) {
  at::Tensor table =
      at::zeros({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, at::kBool);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t column = 0; column < columns; ++column)
      table.data_ptr<bool>()[row * columns + column] = rows[row][column] != 0;
  return table;
}

/// Whether each question sees all its gold chunks: the first and the last always, the best others.
int countFound(const at::Tensor& scores, const std::vector<std::vector<char>>& isGold, int retrieved) {
  int found = 0;
  const auto columns = static_cast<std::size_t>(scores.size(1));
  const at::Tensor exact = scores.detach().contiguous();
  for (std::size_t row = 0; row < isGold.size(); ++row) {
    const float* own = exact.const_data_ptr<float>() + row * columns;
    std::vector<std::size_t> order;
    for (std::size_t column = 1; column + 1 < columns; ++column) order.push_back(column);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return own[a] > own[b]; });
    bool isWhole = true;
    for (std::size_t place = static_cast<std::size_t>(retrieved); place < order.size(); ++place)
      isWhole = isWhole && !isGold[row][order[place]];
    found += isWhole;
  }
  return found;
}

/// [chunks, chunks]: whether two chunks are of one document, or of two, and neither sees the other anyway.
std::pair<at::Tensor, at::Tensor> readingPairs(const std::vector<int>& documents, int recent) {
  const auto chunks = static_cast<std::int64_t>(documents.size());
  at::Tensor same = at::zeros({chunks, chunks}, at::kBool), other = same.clone();
  for (std::int64_t a = 0; a < chunks; ++a)
    for (std::int64_t b = 1; b < a - recent; ++b) {
      const int mine = documents[static_cast<std::size_t>(a)], its = documents[static_cast<std::size_t>(b)];
      if (mine < 0 || its < 0) continue;
      (mine == its ? same : other).data_ptr<bool>()[a * chunks + b] = true;
    }
  return {same, other};
}

class RetrieverTraining {
 public:
  RetrieverTraining(const LoadedModel& model, const RetrieverTexts& texts, const RetrieverSettings& settings,
                    const std::filesystem::path& folder, Listener& listener)
      : model_(model),
        texts_(texts),
        settings_(settings),
        listener_(listener),
        file_(folder / retrieverFileName(model.info)),
        states_(file_.string() + ".states"),
        whitening_(model.whitening->copied()),
        bookmarks_(Bookmarks::untrained(whitening_, settings.rank, settings.seed)),
        steps_(settings.rounds * static_cast<int>(texts.train.size())),
        loop_(parameters(),
              {steps_, settings.learningRate, settings.warmUp, settings.heldOutEvery, settings.patience},
              file_.string() + ".checkpoint", nameOfRun()) {}

  std::filesystem::path run(const std::function<void(const TrainingStep&)>& report) {
    loop_.run({[this](int step) { return trainStep(step); }, [this](TrainingStep& done) { check(done); },
               [this](const TrainingStep& done) { save(done); }},
              report);
    states_.remove();
    return file_;
  }

 private:
  std::vector<at::Tensor> parameters() {
    std::vector<at::Tensor> parameters;
    for (auto& [layer, own] : bookmarks_.trained())
      for (at::Tensor* part : {&own.chunkQuery, &own.questionQuery, &own.down, &own.up, &own.logWeight}) {
        part->requires_grad_(true);
        parameters.push_back(*part);
      }
    return parameters;
  }

  std::string nameOfRun() const {
    RunName name;
    for (const auto* lessons : {&texts_.train, &texts_.heldOut})
      for (const RetrieverLesson& lesson : *lessons) {
        name.add(lesson.text);
        addPlaces(name, lesson);
      }
    for (const double number : {settings_.budgetTokens * 1.0, settings_.rank * 1.0, settings_.rounds * 1.0,
                                settings_.questionsEach * 1.0, settings_.temperature, settings_.readingShare,
                                settings_.learningRate, settings_.warmUp, settings_.heldOutEvery * 1.0,
                                settings_.patience * 1.0, static_cast<double>(settings_.seed)})
      name.add(number);
    return name.add(model_.whitening->id()).text();
  }

  std::optional<double> trainStep(int step) {
    const RetrieverLesson& lesson = texts_.train[textOfStep(step, texts_.train.size(), settings_.seed)];
    const RetrieverScore score =
        scoreContext(bookmarks_, hear(lesson, static_cast<std::uint64_t>(step) * 7919ull), settings_);
    breathe();
    if (score.questions == 0 || !score.loss.requires_grad()) return std::nullopt;  // nothing to tell apart
    score.loss.backward();
    breathe();
    return score.loss.item<double>();
  }

  void check(TrainingStep& done) {
    double loss = 0;
    int texts = 0, questions = 0, found = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(kMostHeldOut, texts_.heldOut.size()); ++i) {
      const RetrieverScore score = scoreContext(bookmarks_, hear(texts_.heldOut[i], 0), settings_);
      if (score.questions == 0) continue;
      loss += score.loss.item<double>();
      ++texts;
      questions += score.questions;
      found += score.whollyFound;
    }
    if (texts == 0)
      throw std::runtime_error(
          "None of the held-out questions can be checked: none has a gold chunk, and others "
          "to tell it from.");
    done.heldOutLoss = loss / texts;
    done.heldOutRecall = static_cast<double>(found) / questions;
  }

  void save(const TrainingStep& done) {
    Bookmarks(whitening_, bookmarks_.trained(),
              {{"rank", std::to_string(settings_.rank)},
               {"texts", std::to_string(texts_.train.size())},
               {"steps", std::to_string(done.step)},
               {"held_out_loss", std::to_string(*done.heldOutLoss)},
               {"held_out_recall", std::to_string(*done.heldOutRecall)}})
        .save(file_, model_.info);
  }

  /// Names all that decides what is heard of a text.
  std::string nameOf(const RetrieverLesson& lesson) const {
    RunName name;
    name.add(readingKey(model_, {kRead, settings_.budgetTokens})).add(lesson.text);
    addPlaces(name, lesson);
    return name.text();
  }

  /// Its documents, questions and gold.
  static void addPlaces(RunName& name, const RetrieverLesson& lesson) {
    const auto addStretches = [&](const std::vector<RetrieverLesson::Stretch>& stretches) {
      for (const auto& stretch : stretches)
        name.add(static_cast<double>(stretch.start)).add(static_cast<double>(stretch.end));
    };
    addStretches(lesson.documents);
    for (const RetrieverLesson::Item& item : lesson.items) {
      name.add(item.question);
      addStretches(item.gold);
    }
  }

  /// The text with as many of its questions as a visit asks, others at each.
  RetrieverContext hear(const RetrieverLesson& lesson, std::uint64_t visit) {
    TrainingListener listener([&] { breathe(); });
    const RetrieverContext whole = states_.of(
        nameOf(lesson), [&] { return hearLesson(model_, lesson, settings_.budgetTokens, listener); });
    std::vector<std::size_t> places = shuffled(whole.isGold.size(), settings_.seed + visit);
    places.resize(std::min(places.size(), static_cast<std::size_t>(settings_.questionsEach)));
    return whole.asking(places);
  }
  void breathe() { listener_.progress({Stage::Training, loop_.step(), steps_, 0}); }

  const LoadedModel& model_;
  const RetrieverTexts& texts_;
  RetrieverSettings settings_;
  Listener& listener_;
  std::filesystem::path file_;
  FrozenStates states_;
  Whitening whitening_;
  Bookmarks bookmarks_;
  int steps_;
  TrainingLoop loop_;
};

}  // namespace

RetrieverContext hearLesson(const LoadedModel& model, const RetrieverLesson& lesson, int budgetTokens,
                            Listener& listener) {
  const c10::InferenceMode engineSide(true);
  const Method& method = findMethod(kRead);
  const auto breathe = [&] { listener.progress({Stage::Reading, 0, 0, 0}); };
  const Tokens tokens = tokensOf(model, lesson.text);
  RetrieverContext context;
  const HearStates hearChunk = [&](int layer, const Block&, const at::Tensor& states) {
    context.chunks[layer].push_back(kept(states));
  };
  ChunkWishes wishes;
  wishes.hear = &hearChunk;
  MemoryChunks memory(TextRun::fileHeader(model, method, budgetTokens, 0).slotBytes);
  std::vector<Run> chunks;
  {
    TextRun run(model, {method, budgetTokens, nullptr, breathe, wishes}, &memory);
    run.read(tokens.ids, kStepTokens);
    chunks = run.cache().runs();
  }
  const std::vector<RetrieverLesson::Stretch> places = chunkPlaces(tokens);
  for (const RetrieverLesson::Stretch& place : places)
    context.documents.push_back(documentOf(place, lesson.documents));
  for (const RetrieverLesson::Item& item : lesson.items) {
    std::vector<char>& isGold = context.isGold.emplace_back();
    for (const RetrieverLesson::Stretch& place : places)
      isGold.push_back(std::ranges::any_of(item.gold, [&](const auto& gold) { return meet(gold, place); }));
    std::map<int, at::Tensor> heard;  // the last block's, where a question is longer than a chunk
    const HearStates hearQuestion = [&](int layer, const Block&, const at::Tensor& states) {
      heard[layer] = kept(states);
    };
    wishes.hear = &hearQuestion;
    TextRun run(model, {method, budgetTokens, nullptr, breathe, wishes, nullptr, true}, &memory);
    run.readAfter(chunks, frameQuestion(model, item.question));
    for (const auto& [layer, states] : heard) context.questions[layer].push_back(states);
  }
  return context;
}

RetrieverScore scoreContext(const Bookmarks& bookmarks, const RetrieverContext& context,
                            const RetrieverSettings& settings) {
  RetrieverScore score;
  score.questions = static_cast<int>(context.isGold.size());
  if (score.questions == 0) return score;
  const std::size_t chunks = context.documents.size();
  const at::Tensor isGold = boolean(context.isGold, chunks), isOther = isGold.logical_not();
  const auto [same, other] = readingPairs(context.documents, settings.budgetTokens / kChunkTokens / 4);
  at::Tensor asked = at::zeros({}), read = at::zeros({}), each = at::zeros({}), weights = at::zeros({});
  for (const int layer : bookmarks.layers()) {
    std::vector<at::Tensor> entries, queries;
    for (const at::Tensor& states : context.chunks.at(layer))
      entries.push_back(bookmarks.chunkEntry(layer, states));
    for (const at::Tensor& states : context.questions.at(layer))
      queries.push_back(bookmarks.questionEntry(layer, states));
    const at::Tensor keys = at::stack(entries), weight = bookmarks.weight(layer);
    const at::Tensor cosines = at::mm(at::stack(queries), keys.t());
    asked = asked + weight * cosines;
    read = read + weight * at::mm(keys, keys.t());
    weights = weights + weight;
    each = each + contrast(cosines / settings.temperature, isGold, isOther);
  }
  const double layers = static_cast<double>(bookmarks.layers().size());
  const at::Tensor scores = asked / weights;
  const at::Tensor ofQuestions =
      (1 - kEachLayersShare) * contrast(scores / settings.temperature, isGold, isOther) +
      kEachLayersShare * each / layers;
  const at::Tensor ofReading = contrast(read / weights / settings.temperature, same, other);
  score.loss = (1 - settings.readingShare) * ofQuestions + settings.readingShare * ofReading;
  score.whollyFound = countFound(scores, context.isGold, settings.budgetTokens / kChunkTokens - kSeenAnyway);
  return score;
}

std::filesystem::path trainRetriever(const LoadedModel& model, const RetrieverTexts& texts,
                                     const RetrieverSettings& settings, const std::filesystem::path& folder,
                                     const std::function<void(const TrainingStep&)>& report,
                                     Listener& listener) {
  requireTexts(texts);
  std::filesystem::create_directories(folder);
  std::filesystem::path file;
  withGradients([&] { file = RetrieverTraining(model, texts, settings, folder, listener).run(report); },
                "take shorter texts.");
  return file;
}

}  // namespace kvasir
