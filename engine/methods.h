#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/cache/codec.h"
#include "engine/numbers.h"
#include "engine/policy/beacon_policy.h"
#include "engine/policy/digest_policy.h"
#include "engine/policy/evicting_policy.h"
#include "engine/policy/infllm_policy.h"
#include "engine/policy/positions.h"
#include "engine/policy/whitened_policy.h"
#include "engine/policy/window_policies.h"
#include "engine/retrieval/passages.h"

namespace kvasir {

struct LoadedModel;
struct Answer;
struct Asking;
class ChunkedReading;

/// One maker of a seam, the name it has for people and in the names of readings, and the numbers it takes.
template <class Make>
struct Seam {
  const char* name;
  Make make;
  std::span<const MethodNumber> numbers = {};
};
using PolicySeam = Seam<std::unique_ptr<KvPolicy> (*)(const PolicySettings& settings)>;
using CodecSeam = Seam<std::unique_ptr<KvCodec> (*)(at::ScalarType computed)>;
using PositionSeam = Seam<std::unique_ptr<PositionScheme> (*)(int reachTokens, const Numbers& numbers)>;
using PassageSeam =
    Seam<std::unique_ptr<PassageRetriever> (*)(const FindEmbedder& embedder, const Numbers& numbers)>;

/// What a file of a reading keeps of the text: keys and values of what a policy makes of it, or nothing but
/// what finds passages in it.
enum class Keeps { Kv, Passages };
/// How a question is answered from a reading, and what that needs of it.
struct AnswerSeam {
  const char* name;
  Answer (*answer)(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                   const Asking& asking);
  Keeps keeps;
  std::span<const MethodNumber> numbers = {};
};
/// In one pass over what the policy selects of the reading: `answer.cpp`.
Answer answerFromReading(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                         const Asking& asking);

/// What the budget bounds: nothing; whatever a query attends to; that of questions and answers, after a dense
/// reading that is kept whole; or the same, and of the reading only what the budget holds is kept.
enum class Sees { WholeDocument, Budget, BudgetInAnswers, BudgetOnceRead };
/// What tells how good a chunk is as evidence: the attention it drew, or the policy's score (one scale in all
/// layers, the last layer's the surest).
enum class Judge { Attention, Score };

/// How a document is read and answered from: one of each seam.
struct Method {
  const char* name;
  const char* description;
  PolicySeam policy;
  CodecSeam codec;
  PositionSeam positions;
  PassageSeam passages;
  Sees sees;
  Judge judge = Judge::Attention;
  AnswerSeam answers = {"reading", answerFromReading, Keeps::Kv};
  Numbers numbers = {};  ///< of all its seams

  std::unique_ptr<KvPolicy> makePolicy(PolicySettings settings) const;
  std::unique_ptr<PositionScheme> makePositions(int reachTokens) const {
    return positions.make(reachTokens, numbers);
  }
  std::unique_ptr<PassageRetriever> makePassages(const FindEmbedder& embedder) const {
    return passages.make(embedder, numbers);
  }
};

/// Whether a question is answered from passages that a retriever finds, put into a prompt anew.
inline bool readsPassages(const Method& method) { return method.passages.make != wholeDocument; }
/// Whether a question is answered over what the policy selects of the reading, and nothing is read anew.
inline bool answersFromReading(const Method& method) { return method.answers.answer == answerFromReading; }
/// Whether positions are places in what the budget holds. Beyond the trained length the model has met no such
/// places, and there is no distance that could be clamped.
inline bool countsPlaces(const Method& method) {
  return method.positions.make == cachePositions || method.positions.make == closedPositions;
}
/// Whether a reading holds keys and values of the text.
inline bool keepsKv(const Method& method) { return method.answers.keeps == Keeps::Kv; }
/// Makes the codec of a document's chunks while it is read. Rows that choose from all of it when it is read
/// have all as computed until then, and keep only what they chose by their own: tokens that are chosen have
/// other neighbours, with which they would be rounded a second time.
inline decltype(CodecSeam::make) readingCodec(const Method& method) {
  if (method.sees == Sees::BudgetOnceRead) return plainCodec;
  return method.codec.make;
}

const std::vector<Method>& methods();

/// A row by its name; or a row that keeps keys and values, kept by another codec: "snapkv+kivi-4" or
/// "snapkv+kivi-2"; either with numbers of its own behind it: "snapkv+kivi-4:window=64:neighbours=7". Null
/// where there is none of that name.
const Method* methodNamed(std::string_view name);
/// The same; throws a sentence that lists the methods where there is none.
const Method& findMethod(std::string_view name);

}  // namespace kvasir
