#include "engine/part_answer.h"

#include <map>
#include <numeric>
#include <set>

#include "engine/answer.h"
#include "engine/passage_index.h"
#include "engine/passage_prompt.h"
#include "engine/retrieval/clues.h"
#include "engine/retrieval/lexical_prior.h"

namespace kvasir {
namespace {

constexpr std::size_t kNoteTokens = 48;  // of one note, at most
constexpr int kMergedTokens = 64;        // of notes that were rewritten as one, at most
constexpr std::size_t kMergedLines = 8;
constexpr std::size_t kReplyTokens = 8;  // of one of the fixed replies, more than any has
constexpr std::size_t kShownChunks = 8;  // of those that the answer rests on

constexpr const char* kNoteTask =
    "Write one short sentence with what the document says that helps to answer the question.";
constexpr const char* kMergeTask =
    "Rewrite the notes as one short text, with what the document adds to answer the question.";

enum class Use { Answer, Note, GoOn, Append, Merge };  // Note: one of the last two
struct UseReply {
  Use use;
  const char* reply;
  const char* meaning;
};
constexpr UseReply kUseReplies[] = {
    {Use::Answer, "Yes", "answer"}, {Use::Note, "Partly", "note"}, {Use::GoOn, "No", "go on"}};
constexpr UseReply kNotingReplies[] = {{Use::Merge, "Yes", "merge"}, {Use::Append, "No", "append"}};

/// A question about a part, and what may be replied.
struct Decision {
  const char* task;
  std::span<const UseReply> replies;
};
constexpr Decision kUse = {"Does the document say what the question asks? Reply with Yes, Partly or No.",
                           kUseReplies};
constexpr Decision kNoting = {"Do the notes and the document tell of the same thing? Reply with Yes or No.",
                              kNotingReplies};

std::string chunkNames(const DocumentPart& part) {
  return "chunks " + std::to_string(part.firstChunk) + " to " + std::to_string(part.endChunk - 1);
}

/// The last notes, so many, as they stand in a prompt.
std::string textOf(const std::vector<std::string>& notes, std::size_t count) {
  std::string text = count > 0 ? "\n\nNotes:" : "";
  for (std::size_t i = notes.size() - count; i < notes.size(); ++i) text += "\n- " + notes[i];
  return text;
}

std::set<std::string> wordsOf(std::string_view text) {
  const std::vector<std::string> words = lexicalWords(text);
  return std::set<std::string>(words.begin(), words.end());
}

/// One way through a document.
class PartWalk {
 public:
  PartWalk(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
           const Asking& asking)
      : model_(model),
        reading_(reading),
        question_(question),
        asking_(asking),
        numbers_(findMethod(asking.settings.method).numbers),
        finder_(model, findMethod(asking.settings.method), reading),
        passages_(finder_.find(question)),
        task_("Question: " + question_ + "\n\n") {
    const std::size_t longest = std::max({frameTask(model, task_ + kUse.task).size() + kReplyTokens,
                                          frameTask(model, task_ + kNoteTask).size() + kNoteTokens,
                                          frameQuestion(model, question).size()});
    const int room = roomForPassages(model, asking.settings, longest);
    std::erase_if(passages_, [&](const ScoredPassage& passage) { return isBlocked(passage.judged); });
    noteRoom_ = std::min(room / 4, room - kChunkTokens);
    partRoom_ = room - noteRoom_;
    wholeRoom_ = room;
  }

  Answer run() {
    if (const std::vector<char> all = textTokens({0, static_cast<int>(chunks().size())});
        countOf(all) <= wholeRoom_)
      return answerOver(all);
    parts_ = partsOf(chunks(), passages_, std::clamp(partRoom_ / kChunkTokens, 1, numbers_.whole("part")));
    for (DocumentPart& part : parts_) part.isSeen = countOf(textTokens({part.firstChunk, part.endChunk})) == 0;
    const int most = asking_.settings.maxSteps > 0 ? asking_.settings.maxSteps : numbers_.whole("steps");
    int last = -1;
    for (int step = 0; step < most; ++step) {
      asking_.listener.progress({Stage::Retrieving, step + 1, most, 0});
      const auto next = access(last);
      if (!next) break;
      last = static_cast<int>(*next);
      if (look(parts_[*next]) == Use::Answer) break;
    }
    return answerOver(chooseTokens(chunks(), kept_.empty() ? passages_ : kept_, asking_.settings,
                                   kept_.empty() ? wholeRoom_ : partRoom_));
  }

 private:
  const std::vector<Run>& chunks() const { return finder_.text().chunks; }
  std::function<void()> breathe() const {
    return [this] { asking_.listener.progress({Stage::Retrieving, 0, 0, 0}); };
  }

  std::vector<AnswerStep::LookedAt> placesOf(const DocumentPart& part) const {
    std::vector<int> some(static_cast<std::size_t>(part.endChunk - part.firstChunk));
    std::iota(some.begin(), some.end(), part.firstChunk);
    return lookedAt(reading_.chunks(), some);
  }

  static int countOf(const std::vector<char>& tokens) {
    return static_cast<int>(std::ranges::count(tokens, 1));
  }
  bool isBlocked(int chunk) const {
    const std::vector<int>& blocked = asking_.settings.blockedChunks;
    return std::ranges::find(blocked, chunk) != blocked.end();
  }
  /// Whether all of a run lies in blocked chunks.
  bool isBlocked(Run tokens) const {
    for (std::size_t chunk = 0; chunk < chunks().size(); ++chunk)
      if (chunks()[chunk].begin < tokens.end && tokens.begin < chunks()[chunk].end &&
          !isBlocked(static_cast<int>(chunk)))
        return false;
    return true;
  }
  /// The text of some chunks, but for blocked ones.
  std::vector<char> textTokens(Run chunkRange) const {
    std::vector<char> isChosen(finder_.text().isText.size());
    for (int chunk = chunkRange.begin; chunk < chunkRange.end; ++chunk) {
      if (isBlocked(chunk)) continue;
      const Run run = chunks()[static_cast<std::size_t>(chunk)];
      for (int token = run.begin; token < run.end; ++token)
        isChosen[static_cast<std::size_t>(token)] = finder_.text().isText[static_cast<std::size_t>(token)];
    }
    return isChosen;
  }

  ReadPrompt read(const std::vector<char>& isChosen, Weights weights) const {
    return ReadPrompt(model_, asking_.settings, promptOf(model_, reading_, isChosen, notes()), weights,
                      breathe());
  }

  /// How likely the question is after a part's best passage.
  double likelihoodOf(const DocumentPart& part) {
    std::vector<char> isChosen = textTokens({part.firstChunk, part.endChunk});
    for (int token = 0; token < static_cast<int>(isChosen.size()); ++token)
      if (token < part.best.begin || token >= part.best.end) isChosen[static_cast<std::size_t>(token)] = 0;
    const ReadPrompt prompt(model_, asking_.settings, promptOf(model_, reading_, isChosen), Weights::Plain,
                            breathe());
    const double likelihood =
        prompt.logProbability(plainTokens(model_, "\n\nQuestion:"), plainTokens(model_, " " + question_));
    attended_ = std::max(attended_, prompt.attendedTokens());
    return likelihood;
  }

  /// The part to look at next; nothing when all were seen.
  std::optional<std::size_t> access(int last) {
    const std::vector<std::size_t> places = candidates(parts_, last, numbers_.whole("parts"));
    if (places.empty()) return std::nullopt;
    AnswerStep step;
    step.kind = AnswerStep::Kind::Access;
    step.asked = "Which part makes the question likeliest?";
    std::size_t best = places.front();
    for (const std::size_t place : places) {
      DocumentPart& part = parts_[place];
      if (!part.likelihood) part.likelihood = likelihoodOf(part);
      if (*part.likelihood > *parts_[best].likelihood) best = place;
      step.options.push_back({chunkNames(part), *part.likelihood});
    }
    parts_[best].isSeen = true;
    step.said = chunkNames(parts_[best]);
    step.chunks = placesOf(parts_[best]);
    steps_.push_back(std::move(step));
    return best;
  }

  /// Reads a part, decides what to do with it, and does it, but for the answer.
  Use look(const DocumentPart& part) {
    const ReadPrompt prompt = read(textTokens({part.firstChunk, part.endChunk}), Weights::Plain);
    const Use use = decide(prompt, part, kUse);
    if (use == Use::Note) note(part, prompt);
    if (use != Use::GoOn) keep(part);
    attended_ = std::max(attended_, prompt.attendedTokens());
    return use;
  }

  /// Of the replies, the one that gains most by the prompt.
  Use decide(const ReadPrompt& prompt, const DocumentPart& part, const Decision& decision) {
    AnswerStep step;
    step.kind = AnswerStep::Kind::Use;
    step.asked = task_ + decision.task;
    step.chunks = placesOf(part);
    const std::vector<TokenId> asked = frameTask(model_, step.asked);
    const UseReply* taken = nullptr;
    double most = 0;
    for (const UseReply& reply : decision.replies) {
      const double gain = gainOf(prompt, asked, reply);
      step.options.push_back({reply.meaning, gain});
      if (!taken || gain > most) most = gain, taken = &reply;
    }
    step.said = taken->meaning;
    steps_.push_back(std::move(step));
    return taken->use;
  }

  /// By how much the prompt makes a reply likelier than one without a document does.
  double gainOf(const ReadPrompt& prompt, std::span<const TokenId> asked, const UseReply& reply) {
    const std::vector<TokenId> said = plainTokens(model_, reply.reply);
    const auto [habit, isNew] = habits_.try_emplace(reply.use, 0.0);
    if (isNew)
      habit->second = ReadPrompt(model_, asking_.settings, emptyPrompt(model_), Weights::Plain, breathe())
                          .logProbability(asked, said);
    return prompt.logProbability(asked, said) - habit->second;
  }

  /// Writes down what a part says: in one text with the notes of its prompt where the model decides so and can,
  /// else below them.
  void note(const DocumentPart& part, const ReadPrompt& prompt) {
    const std::size_t shown = notesThatFit(notes_, noteRoom_, tokensOf());
    const bool canMerge = shown > 0 && roomAfter(prompt, kNoting.task) >= static_cast<int>(kReplyTokens) &&
                          roomAfter(prompt, kMergeTask) >= static_cast<int>(kNoteTokens);
    const NoteTaking taking = {[&] { return decide(prompt, part, kNoting) == Use::Merge; },
                               [&] {
                                 const int most = std::min(kMergedTokens, roomAfter(prompt, kMergeTask));
                                 return writeNote(part, prompt, kMergeTask, most);
                               },
                               [&] { return writeNote(part, prompt, kNoteTask, kNoteTokens); }};
    notes_ = notesWith(notes_, canMerge ? shown : 0, taking, question_, noteRoom_, tokensOf());
  }

  /// Tokens of the budget that a prompt and a task leave for what is written.
  int roomAfter(const ReadPrompt& prompt, const char* task) const {
    return promptTokens(model_, asking_.settings.budgetTokens) -
           static_cast<int>(prompt.prompt().tokens.size() + frameTask(model_, task_ + task).size());
  }

  std::string writeNote(const DocumentPart& part, const ReadPrompt& prompt, const char* task, int most) {
    AnswerStep step;
    step.kind = AnswerStep::Kind::Note;
    step.asked = task_ + task;
    step.chunks = placesOf(part);
    const auto run = prompt.goOn();
    step.said = write(model_, *run, frameTask(model_, step.asked), most, asking_);
    attended_ = std::max(attended_, run->pass().attendedTokens());
    steps_.push_back(std::move(step));
    return steps_.back().said;
  }

  /// What was kept later comes first: it was kept knowing what came before.
  void keep(const DocumentPart& part) {
    const Run run = {chunks()[static_cast<std::size_t>(part.firstChunk)].begin,
                     chunks()[static_cast<std::size_t>(part.endChunk - 1)].end};
    kept_.push_back({run, run, static_cast<float>(kept_.size())});
  }

  TokensOf tokensOf() const {
    return [this](const std::string& text) { return static_cast<int>(plainTokens(model_, text).size()); };
  }
  std::string notes() const { return latestNotes(notes_, noteRoom_, tokensOf()); }

  Answer answerOver(const std::vector<char>& isChosen) {
    Answer answer = answerAfter(model_, read(isChosen, weightsFor(question_)), reading_,
                                chunkScores(chunks(), passages_), question_, asking_);
    answer.kvBytesInMemory += finder_.bytes();
    steps_.push_back({AnswerStep::Kind::Answer, question_, answer.text,
                      mostAttended(answer.map, reading_.chunks(), kShownChunks)});
    answer.steps = std::move(steps_);
    answer.attendedTokens = std::max(answer.attendedTokens, attended_);
    return answer;
  }

  const LoadedModel& model_;
  const ChunkedReading& reading_;
  std::string question_;
  const Asking& asking_;
  const Numbers& numbers_;
  PassageFinder finder_;
  std::vector<ScoredPassage> passages_;
  std::string task_;
  int wholeRoom_ = 0, partRoom_ = 0, noteRoom_ = 0;  // tokens
  std::vector<DocumentPart> parts_;
  std::vector<ScoredPassage> kept_;
  std::vector<std::string> notes_;
  std::map<Use, double> habits_;  // log-probabilities of replies without a document
  std::vector<AnswerStep> steps_;
  int attended_ = 0;
};

}  // namespace

Answer answerFromParts(const LoadedModel& model, const ChunkedReading& reading, std::string_view question,
                       const Asking& asking) {
  return PartWalk(model, reading, question, asking).run();
}

std::vector<DocumentPart> partsOf(const std::vector<Run>& chunks, const std::vector<ScoredPassage>& passages,
                                  int chunksEach) {
  std::vector<DocumentPart> parts;
  const int count = static_cast<int>(chunks.size());
  for (int first = 0; first < count; first += chunksEach) {
    DocumentPart part{first, std::min(first + chunksEach, count), -1};
    const Run tokens = {chunks[static_cast<std::size_t>(part.firstChunk)].begin,
                        chunks[static_cast<std::size_t>(part.endChunk - 1)].end};
    for (const ScoredPassage& passage : passages)
      if (passage.judged.begin < tokens.end && passage.judged.end > tokens.begin &&
          passage.score > part.score) {
        part.score = passage.score;
        part.best = passage.tokens;
      }
    parts.push_back(part);
  }
  return parts;
}

std::vector<std::size_t> candidates(const std::vector<DocumentPart>& parts, int last, int most) {
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!parts[i].isSeen) unseen.push_back(i);
  std::ranges::stable_sort(unseen, std::ranges::greater(), [&](std::size_t i) { return parts[i].score; });
  unseen.resize(std::min(unseen.size(), static_cast<std::size_t>(most)));
  const auto next = static_cast<std::size_t>(last + 1);
  if (last >= 0 && next < parts.size() && !parts[next].isSeen &&
      std::ranges::find(unseen, next) == unseen.end())
    unseen.push_back(next);
  std::ranges::sort(unseen);
  return unseen;
}

std::size_t notesThatFit(const std::vector<std::string>& notes, int roomTokens, const TokensOf& tokensOf) {
  std::size_t count = 0;
  while (count < notes.size() && tokensOf(textOf(notes, count + 1)) <= roomTokens) ++count;
  return count;
}

std::string latestNotes(const std::vector<std::string>& notes, int roomTokens, const TokensOf& tokensOf) {
  return textOf(notes, notesThatFit(notes, roomTokens, tokensOf));
}

std::optional<std::vector<std::string>> mergedNotes(const std::vector<std::string>& notes, std::size_t shown,
                                                    std::string_view said, std::string_view question,
                                                    int roomTokens, const TokensOf& tokensOf) {
  std::string text;
  for (const std::string& line : cluesOf(said, question, kMergedLines))
    text += (text.empty() ? "" : " ") + line;
  if (text.empty() || notesThatFit({text}, roomTokens, tokensOf) == 0) return std::nullopt;
  const auto first = notes.end() - static_cast<std::ptrdiff_t>(shown);
  const std::set<std::string> asked = wordsOf(question), told = wordsOf(text);
  const auto isAsked = [&](const std::string& word) { return asked.contains(word); };
  const auto isTold = [&](const std::string& word) { return told.contains(word); };
  std::set<std::string> known = asked;
  for (auto note = first; note != notes.end(); ++note) {
    std::set<std::string> own = wordsOf(*note);
    std::erase_if(own, isAsked);
    if (2 * std::ranges::count_if(own, isTold) < std::ssize(own)) return std::nullopt;
    known.insert(own.begin(), own.end());
  }
  if (std::ranges::includes(known, told)) return std::nullopt;
  std::vector<std::string> merged(notes.begin(), first);
  merged.push_back(std::move(text));
  return merged;
}

std::vector<std::string> notesWith(const std::vector<std::string>& notes, std::size_t shown,
                                   const NoteTaking& taking, std::string_view question, int roomTokens,
                                   const TokensOf& tokensOf) {
  if (shown > 0 && taking.tellsOfTheSame())
    if (auto merged = mergedNotes(notes, shown, taking.rewriting(), question, roomTokens, tokensOf))
      return *merged;
  std::vector<std::string> appended = notes;
  for (const std::string& line : cluesOf(taking.note(), question, 1)) appended.push_back(line);
  return appended;
}

}  // namespace kvasir
