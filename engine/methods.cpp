#include "engine/methods.h"

#include <deque>
#include <map>
#include <mutex>

#include "engine/clue_answer.h"
#include "engine/method_numbers.h"
#include "engine/part_answer.h"
#include "engine/passage_answer.h"
#include "engine/reread_answer.h"
#include "engine/retrieval/landmarks.h"
#include "engine/wishes.h"

namespace kvasir {

namespace {

constexpr PolicySeam kFull{"full", fullPolicy}, kStreaming{"streaming", streamingPolicy, kStreamingNumbers},
    kInfllm{"infllm", infllmPolicy, kInfllmNumbers}, kWhitened{"whitened", whitenedPolicy, kBookmarkNumbers},
    kRetrolm{"retrolm", retrolmPolicy, kBookmarkNumbers}, kLambda{"lambda", lambdaPolicy, kLambdaNumbers},
    kLambdaMiddle{"lambda-middle", lambdaMiddlePolicy, kLambdaMiddleNumbers},
    kQuest{"quest", questPolicy, kQuestDenseNumbers}, kArkvale{"arkvale", arkvalePolicy, kArkvaleDenseNumbers},
    kQuestReading{"quest-reading", questReadingPolicy, kQuestNumbers},
    kArkvaleReading{"arkvale-reading", arkvaleReadingPolicy, kArkvaleNumbers},
    kSnapkv{"snapkv", snapkvPolicy, kSnapkvSeenNumbers},
    kSnapkvBlind{"snapkv-blind", snapkvBlindPolicy, kSnapkvNumbers},
    kPyramidkv{"pyramidkv", pyramidkvPolicy, kPyramidkvSeenNumbers},
    kPyramidkvBlind{"pyramidkv-blind", pyramidkvBlindPolicy, kPyramidkvNumbers},
    kH2o{"h2o", h2oPolicy, kH2oNumbers}, kKeydiff{"keydiff", keydiffPolicy, kKeydiffNumbers},
    kExpected{"expected-attention", expectedAttentionPolicy, kExpectedNumbers},
    kBeacon{"beacon", beaconPolicy, kBeaconNumbers};
constexpr CodecSeam kPlain{"plain", plainCodec}, kKivi4{"kivi-4-bands-", kivi4Codec},
    kKivi2{"kivi-2-bands-", kivi2Codec};
constexpr PositionSeam kRope{"rope", ropePositions}, kInCache{"cache", cachePositions},
    kClamped{"clamped", clampedPositions}, kInterpolated{"pi", interpolatedPositions, kScaleNumbers},
    kNtk{"ntk-sharpened", ntkPositions, kNtkNumbers}, kYarn{"yarn", yarnPositions, kYarnNumbers},
    kLongRope{"longrope", longRopePositions}, kGrouped{"grouped", groupedPositions, kGroupedNumbers},
    kCeiling{"ceiling", ceilingPositions}, kClosed{"closed", closedPositions};
constexpr PassageSeam kWhole{"whole", wholeDocument}, kDense{"dense", densePassages},
    kLexical{"lexical", lexicalPassages}, kFused{"fused", fusedPassages, kFusedNumbers},
    kLandmarks{"landmarks", landmarkPassages, kLandmarkNumbers};
constexpr AnswerSeam kFromPassages{"passages", answerFromPassages, Keeps::Passages, kPassageNumbers},
    kFromClues{"clues", answerFromClues, Keeps::Kv, kClueNumbers},
    kFromParts{"parts", answerFromParts, Keeps::Passages, kPartNumbers},
    kFromReread{"reread", answerFromReread, Keeps::Kv, kRereadNumbers};

/// The rows with the numbers of their seams.
std::vector<Method> withNumbers(std::vector<Method> rows) {
  for (Method& row : rows) {
    std::vector<MethodNumber> numbers;
    for (const std::span<const MethodNumber> more :
         {row.policy.numbers, row.positions.numbers, row.passages.numbers, row.answers.numbers})
      numbers.insert(numbers.end(), more.begin(), more.end());
    row.numbers = Numbers(std::move(numbers));
  }
  return rows;
}

}  // namespace

const std::vector<Method>& methods() {
  static const std::vector<Method> rows = withNumbers({
      {"full", "dense attention to everything before", kFull, kPlain, kRope, kWhole, Sees::WholeDocument},
      {"pi", "PI: as full; once a text outgrows the model, its positions are squeezed into those trained",
       kFull, kPlain, kInterpolated, kWhole, Sees::WholeDocument},
      {"ntk",
       "NTK-aware scaling: as full; once a text outgrows the model, the lower a frequency the slower it turns, "
       "and attention is sharper",
       kFull, kPlain, kNtk, kWhole, Sees::WholeDocument},
      {"yarn",
       "YaRN: as full; once a text outgrows the model, low frequencies turn slower and attention is sharper",
       kFull, kPlain, kYarn, kWhole, Sees::WholeDocument},
      {"longrope", "LongRoPE: as full, with the factors for long texts that some model files carry", kFull,
       kPlain, kLongRope, kWhole, Sees::WholeDocument},
      {"selfextend", "SelfExtend: as full; what is more than 1,024 tokens away shares positions by eight",
       kFull, kPlain, kGrouped, kWhole, Sees::WholeDocument},
      {"lm-infinite",
       "LM-Infinite: the first hundred tokens, never farther than the budget, and the most recent; the rest is "
       "forgotten",
       kLambda, kPlain, kCeiling, kWhole, Sees::Budget},
      {"lm-infinite-middle",
       "as lm-infinite, but the document is kept, and for an answer each KV head picks five tokens of it that "
       "all see",
       kLambdaMiddle, kPlain, kCeiling, kWhole, Sees::Budget},
      {"streaming", "StreamingLLM: the first four tokens and the most recent; the rest is forgotten",
       kStreaming, kPlain, kInCache, kWhole, Sees::Budget},
      {"infllm", "InfLLM: first and recent chunks, and those each layer retrieves by representative keys",
       kInfllm, kPlain, kClamped, kWhole, Sees::Budget},
      {"retrolm",
       "RetroLM: first and recent chunks, and those each layer retrieves by trained bookmarks and shared words",
       kRetrolm, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score},
      {"whitened",
       "first and recent chunks, and those each layer retrieves by whitened hidden states and shared words",
       kWhitened, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score},
      {"reread",
       "as retrolm, to find the paragraphs that fit a question; the best are read anew and answered from",
       kRetrolm, kPlain, kClamped, kWhole, Sees::Budget, Judge::Score, kFromReread},
      {"kivi-4", "KIVI: as full, keys and values kept in 4 bits", kFull, kKivi4, kRope, kWhole,
       Sees::WholeDocument},
      {"kivi-2", "KIVI: as full, keys and values kept in 2 bits", kFull, kKivi2, kRope, kWhole,
       Sees::WholeDocument},
      {"whitened-kivi-4", "as whitened, keys and values kept in 4 bits", kWhitened, kKivi4, kClamped, kWhole,
       Sees::Budget, Judge::Score},
      {"quest",
       "Quest: reads as full; for a question each layer retrieves runs of 16 tokens by the bounds of their "
       "keys",
       kQuest, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"arkvale",
       "ArkVale: reads as full; for a question each layer retrieves runs of 32 tokens by a box around their "
       "keys",
       kArkvale, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"quest-reading", "as quest, retrieving in reading too, which is quicker for long documents",
       kQuestReading, kPlain, kClamped, kWhole, Sees::Budget},
      {"arkvale-reading", "as arkvale, retrieving in reading too, which is quicker for long documents",
       kArkvaleReading, kPlain, kClamped, kWhole, Sees::Budget},
      {"snapkv",
       "SnapKV: reads as full; for a question each KV head sees the tokens that the question's end attends to",
       kSnapkv, kPlain, kRope, kWhole, Sees::BudgetInAnswers},
      {"snapkv-blind", "as snapkv, chosen by the document's end before any question; the rest is forgotten",
       kSnapkvBlind, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"pyramidkv", "PyramidKV: as snapkv, the higher the layer the fewer tokens", kPyramidkv, kPlain, kRope,
       kWhole, Sees::BudgetInAnswers},
      {"pyramidkv-blind",
       "as pyramidkv, chosen by the document's end before any question; the rest is forgotten", kPyramidkvBlind,
       kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"h2o",
       "H2O: reads as full, then keeps recent tokens and those that drew most attention; the rest is forgotten",
       kH2o, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"keydiff",
       "KeyDiff: reads as full, then keeps tokens whose keys are least like the others; the rest is forgotten",
       kKeydiff, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"expected-attention",
       "Expected attention: reads as full, then keeps tokens that queries to come will likely attend to; the "
       "rest is forgotten",
       kExpected, kPlain, kRope, kWhole, Sees::BudgetOnceRead},
      {"beacon",
       "Activation Beacon: of each window read only tokens put between its own stay, trained to stand for it; "
       "none trained come along",
       kBeacon, kPlain, kClosed, kWhole, Sees::Budget},
      {"rag", "passages that a sentence embedder and shared words find, read anew at each question", kFull,
       kPlain, kRope, kFused, Sees::Budget, Judge::Score, kFromPassages},
      {"rag-dense", "the same by the sentence embedder alone", kFull, kPlain, kRope, kDense, Sees::Budget,
       Judge::Score, kFromPassages},
      {"rag-bm25", "the same by shared words alone (BM25)", kFull, kPlain, kRope, kLexical, Sees::Budget,
       Judge::Score, kFromPassages},
      {"landmark",
       "Landmark Embedding: as rag, by sentences embedded where they stand; each brings the text before it",
       kFull, kPlain, kRope, kLandmarks, Sees::Budget, Judge::Score, kFromPassages},
      {"memorag",
       "MemoRAG: reads as whitened; from that memory the model writes clues, and passages are found by them",
       kWhitened, kPlain, kClamped, kFused, Sees::Budget, Judge::Score, kFromClues},
      {"lcboost",
       "LC-Boost: the model chooses step by step which part to read next, and whether to note it or to answer",
       kFull, kPlain, kRope, kFused, Sees::Budget, Judge::Score, kFromParts},
  });
  return rows;
}

namespace {

/// A codec that other rows can take.
struct Packing {
  const char* suffix;
  const char* says;
  CodecSeam codec;
};
constexpr Packing kPackings[] = {{"+kivi-4", ", keys and values kept in 4 bits", kKivi4},
                                 {"+kivi-2", ", keys and values kept in 2 bits", kKivi2}};

/// A row that differs from another in its codec or its numbers, and points to words of its own.
struct VariedRow {
  VariedRow(const Method& row, std::string itsName, const char* says)
      : name(std::move(itsName)), description(std::string("as ") + row.name + says), method(row) {
    method.name = name.c_str();
    method.description = description.c_str();
  }
  VariedRow(const VariedRow&) = delete;
  VariedRow& operator=(const VariedRow&) = delete;

  const std::string name, description;
  Method method;
};

/// Beacons are kept in the index, not by a codec.
bool canBePacked(const Method& row) {
  return keepsKv(row) && row.codec.make == plainCodec && row.policy.make != beaconPolicy;
}

const std::deque<VariedRow>& packedRows() {
  static const std::deque<VariedRow> packed = [] {
    std::deque<VariedRow> made;
    for (const Method& row : methods())
      for (const Packing& packing : kPackings)
        if (canBePacked(row))
          made.emplace_back(row, std::string(row.name) + packing.suffix, packing.says).method.codec =
              packing.codec;
    return made;
  }();
  return packed;
}

const Method* packedOrPlain(std::string_view name) {
  for (const Method& method : methods())
    if (name == method.name) return &method;
  for (const VariedRow& packed : packedRows())
    if (name == packed.name) return &packed.method;
  return nullptr;
}

/// The row of a name; null where there is none. One with other numbers is made when it is first asked for and
/// kept from then on; throws a sentence where it cannot have them. Any thread.
const Method* lookUp(std::string_view name) {
  if (name.find(':') == std::string_view::npos) return packedOrPlain(name);
  static std::mutex mutex;
  static std::map<std::string, VariedRow, std::less<>> varied;
  const Method* row = packedOrPlain(rowNameOf(name));
  if (!row || numbersOf(name).empty()) return nullptr;
  const std::lock_guard lock(mutex);
  if (const auto known = varied.find(name); known != varied.end()) return &known->second.method;
  Numbers numbers = row->numbers;
  try {
    numbers.choose(numbersOf(name));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(name) + " is no method: " + error.what());
  }
  const std::string itsName(name);
  VariedRow& made = varied.try_emplace(itsName, *row, itsName, ", with other numbers").first->second;
  made.method.numbers = std::move(numbers);
  return &made.method;
}

}  // namespace

const Method* methodNamed(std::string_view name) {
  try {
    return lookUp(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

std::unique_ptr<KvPolicy> Method::makePolicy(PolicySettings settings) const {
  settings.numbers = numbers;
  return policy.make(settings);
}

bool takesWishes(const std::string& name) {
  const Method* method = methodNamed(name);
  return method && method->sees != Sees::BudgetOnceRead && method->policy.make != streamingPolicy &&
         method->policy.make != lambdaPolicy && method->policy.make != beaconPolicy;
}

const Method& findMethod(std::string_view name) {
  if (const Method* method = lookUp(name)) return *method;
  std::string known;
  for (const Method& method : methods()) known += (known.empty() ? "" : ", ") + std::string(method.name);
  throw std::runtime_error("There is no method \"" + std::string(name) + "\"; there are " + known +
                           "; those that keep keys and values, but beacon, with +kivi-4 or +kivi-2 behind "
                           "their name, and those that have numbers with these behind it, as "
                           "streaming:sinks=8.");
}

}  // namespace kvasir
