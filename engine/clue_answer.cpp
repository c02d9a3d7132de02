#include "engine/clue_answer.h"

#include "engine/answer.h"
#include "engine/passage_answer.h"
#include "engine/passage_index.h"
#include "engine/passage_prompt.h"
#include "engine/retrieval/clues.h"
#include "engine/retrieval/lexical_prior.h"

namespace kvasir {
namespace {

constexpr int kClueTokens = 96;          // written at a time, at most
constexpr std::size_t kShownChunks = 8;  // of those that a step looked at
// A clue's hits come after the question's of the same rank.
constexpr float kClueShare = 0.98f;

/// What the model is asked to write, and how it begins: a list is easier to go on with than to begin.
struct ClueTask {
  const char* task;
  const char* opening;
};
constexpr ClueTask kClueTasks[] = {
    {"Copy from the document the short passages that help to answer the question, one to a line.", "- "},
    {"Write simpler questions about the document whose answers help to answer the question, one to a line.",
     "1."},
};
constexpr ClueTask kDraftTask = {"Answer the question in one short sentence.", ""};

/// Writes clues from what was read, and tells what was asked, said and looked at.
AnswerStep writeClues(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                      const ClueTask& task, const Asking& asking, int& attendedTokens) {
  AnswerStep step;
  step.kind = AnswerStep::Kind::Clues;
  step.asked = "Question: " + std::string(question) + "\n\n" + task.task;
  EvidenceTap tap(model.shape.layers, model.shape.heads, reading.frames());
  const auto breathe = [&] { asking.listener.progress({Stage::Retrieving, 0, 0, 0}); };
  const AskSettings& settings = asking.settings;
  TextRun run(model,
              {findMethod(settings.method),
               settings.budgetTokens,
               &tap,
               breathe,
               {settings.pinnedChunks, settings.blockedChunks, questionParagraphs(model, reading, question)}},
              &reading.store());
  run.cache().adopt(reading.finishedRuns());
  run.cache().startTail();
  step.said = write(model, run, frameTask(model, step.asked, task.opening), kClueTokens, asking);
  step.chunks = mostAttended(tap.map(reading.finished()), reading.chunks(), kShownChunks);
  attendedTokens = std::max(attendedTokens, run.pass().attendedTokens());
  return step;
}

AnswerStep searchStep(std::string_view asked, const ChunkedReading& reading, const TokenText& text,
                      const std::vector<ScoredPassage>& found, std::size_t most) {
  std::vector<int> hits;
  for (const std::size_t hit : bestPassages(found, most))
    hits.push_back(chunkOf(text.chunks, found[hit].judged.begin));
  return {AnswerStep::Kind::Search, std::string(asked), "", lookedAt(reading.chunks(), hits)};
}

}  // namespace

void addHits(const std::vector<ScoredPassage>& found, std::size_t most, std::vector<ScoredPassage>& passages) {
  for (const std::size_t hit : bestPassages(found, most))
    passages[hit].score = std::max(passages[hit].score, kClueShare * found[hit].score);
}

bool isWorthSearching(std::string_view draft, std::string_view question) {
  const std::vector<std::string> words = lexicalWords(draft);
  return !words.empty() && words != lexicalWords(question);
}

Answer answerFromClues(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                       const Asking& asking) {
  const Method& method = findMethod(asking.settings.method);
  const auto clues = static_cast<std::size_t>(method.numbers.whole("clues")),
             hits = static_cast<std::size_t>(method.numbers.whole("hits"));
  const PassageFinder finder(model, method, reading);
  std::vector<ScoredPassage> passages = finder.find(question);
  std::vector<AnswerStep> steps = {searchStep(question, reading, finder.text(), passages, hits)};
  int attendedTokens = 0;
  const auto written = [&](const ClueTask& task) {
    steps.push_back(writeClues(model, reading, question, task, asking, attendedTokens));
    return steps.back().said;
  };
  const auto search = [&](const std::string& clue) {
    asking.listener.progress({Stage::Retrieving, 0, 0, 0});
    const std::vector<ScoredPassage> found = finder.find(clue);
    steps.push_back(searchStep(clue, reading, finder.text(), found, hits));
    addHits(found, hits, passages);
  };
  for (const ClueTask& task : kClueTasks)
    for (const std::string& clue : cluesOf(written(task), question, clues)) search(clue);
  if (method.numbers.whole("draft") == 1)
    if (const std::string draft = written(kDraftTask); isWorthSearching(draft, question)) search(draft);
  Answer answer = answerFromFound(model, reading, finder, passages, question, asking);
  steps.push_back({AnswerStep::Kind::Answer, std::string(question), answer.text,
                   mostAttended(answer.map, reading.chunks(), kShownChunks)});
  answer.steps = std::move(steps);
  answer.attendedTokens = std::max(answer.attendedTokens, attendedTokens);
  return answer;
}

}  // namespace kvasir
