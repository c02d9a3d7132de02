#include "engine/reread_answer.h"

#include "engine/answer.h"
#include "engine/passage_prompt.h"
#include "engine/question.h"

namespace kvasir {
namespace {

/// What the layers say of a document when it is asked.
struct Found {
  std::vector<float> scores, words;     ///< of chunks, layer by layer: the latter is what of them is of words
  std::vector<ScoredPassage> passages;  ///< paragraphs, and pieces of those that do not fit
  int attendedTokens = 0;
};

/// Cuts a paragraph where chunks end. A piece has the paragraph's score, and what its chunk has beyond that
/// where no better paragraph shares it, so that the best goes first.
void addPieces(Run paragraph, float score, const std::vector<Run>& chunks, std::span<const float> chunkScores,
               std::vector<ScoredPassage>& passages) {
  constexpr float kOwnMost = 2e-3f;  // what whitenedPolicy adds of a chunk's own
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    const Run piece = {std::max(paragraph.begin, chunks[chunk].begin),
                       std::min(paragraph.end, chunks[chunk].end)};
    if (piece.begin >= piece.end) continue;
    const float own = chunkScores[chunk] - score;
    passages.push_back({piece, piece, std::abs(own) < kOwnMost ? chunkScores[chunk] : score});
  }
}

/// room: tokens that may be read anew.
Found askReading(const LoadedModel& model, const ChunkedReading& reading, std::string_view question, int room,
                 const Asking& asking) {
  const AskSettings& settings = asking.settings;
  const ChunkTexts texts = chunkTexts(model, reading);
  const std::vector<ScoredParagraph> paragraphs = scoreParagraphs(texts.chunks, question);
  std::vector<float> paragraphScores;
  EvidenceTap tap(model.shape.layers, model.shape.heads, reading.frames(), EvidenceTap::Records::Choices);
  TextRun run(
      model,
      {findMethod(settings.method), settings.budgetTokens, &tap,
       [&] {
         asking.listener.progress({Stage::Retrieving, 0, 0, 0});
       },
       ChunkWishes{settings.pinnedChunks, settings.blockedChunks, paragraphs, &paragraphScores}, nullptr, true},
      &reading.store());
  const std::vector<Run> chunks = reading.finishedRuns();
  run.readAfter(chunks, frameQuestion(model, question));

  Found found{tap.scores(reading.finished()), tap.words(reading.finished()), {}, run.pass().attendedTokens()};
  const std::span<const float> chunkScores = lastScores(found.scores, reading.finished());
  const auto tokenAt = [&](std::size_t byte) {
    return static_cast<int>(std::ranges::lower_bound(texts.tokenStarts, byte) - texts.tokenStarts.begin());
  };
  for (std::size_t i = 0; i < paragraphScores.size(); ++i) {
    const Run tokens = {tokenAt(paragraphs[i].text.start), tokenAt(paragraphs[i].text.end)};
    if (tokens.end - tokens.begin <= room)
      found.passages.push_back({tokens, tokens, paragraphScores[i]});
    else
      addPieces(tokens, paragraphScores[i], chunks, chunkScores, found.passages);
  }
  return found;
}

int tokensOf(const std::vector<Run>& chunks, const std::vector<int>& some) {
  int tokens = 0;
  for (const int chunk : some)
    if (chunk >= 0 && chunk < static_cast<int>(chunks.size()))
      tokens += chunks[static_cast<std::size_t>(chunk)].end - chunks[static_cast<std::size_t>(chunk)].begin;
  return tokens;
}

}  // namespace

Answer answerFromReread(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                        const Asking& asking) {
  const AskSettings& settings = asking.settings;
  if (!isQuestion(question)) return answerFromReading(model, reading, question, asking);
  const int room = roomForPassages(model, settings, frameQuestion(model, question).size());
  if (reading.tokens() <= room) return answerFromReading(model, reading, question, asking);
  const Numbers& numbers = findMethod(settings.method).numbers;
  const int most = std::min(numbers.whole("tokens"), room);
  const std::vector<Run> chunks = reading.finishedRuns();
  const int withPinned = std::min(room, most + tokensOf(chunks, settings.pinnedChunks));
  const Found found = askReading(model, reading, question, most, asking);
  const ReadPrompt prompt(model, settings,
                          promptOf(model, reading,
                                   chooseTokens(chunks, found.passages, settings, withPinned,
                                                static_cast<float>(numbers["worth"]))),
                          Weights::Adapted, [&] {
                            asking.listener.progress({Stage::Retrieving, 0, 0, 0});
                          });
  Answer answer = answerAfter(model, prompt, reading, found.scores, question, asking, found.words);
  answer.attendedTokens = std::max(answer.attendedTokens, found.attendedTokens);
  return answer;
}

}  // namespace kvasir
