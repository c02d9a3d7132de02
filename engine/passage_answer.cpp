#include "engine/passage_answer.h"

#include "engine/passage_prompt.h"

namespace kvasir {

Answer answerFromPassages(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                          const Asking& asking) {
  const PassageFinder finder(model, findMethod(asking.settings.method), reading);
  return answerFromFound(model, reading, finder, finder.find(question), question, asking);
}

Answer answerFromFound(const LoadedModel& model, const ChunkedReading& reading, const PassageFinder& finder,
                       const std::vector<ScoredPassage>& passages, std::string_view question,
                       const Asking& asking) {
  const AskSettings& settings = asking.settings;
  // Scores of all passages are evidence; the prompt may get fewer.
  std::vector<ScoredPassage> best = passages;
  if (const int most = findMethod(settings.method).numbers.whole("passages"); most > 0) {
    best.clear();
    for (const std::size_t i : bestPassages(passages, static_cast<std::size_t>(most)))
      best.push_back(passages[i]);
  }
  const std::vector<Run>& chunks = finder.text().chunks;
  const int room = roomForPassages(model, settings, frameQuestion(model, question).size());
  const ReadPrompt prompt(model, settings, promptOf(model, reading, chooseTokens(chunks, best, settings, room)),
                          weightsFor(question), [&] {
                            asking.listener.progress({Stage::Retrieving, 0, 0, 0});
                          });
  Answer answer = answerAfter(model, prompt, reading, chunkScores(chunks, passages), question, asking);
  answer.kvBytesInMemory += finder.bytes();
  return answer;
}

}  // namespace kvasir
