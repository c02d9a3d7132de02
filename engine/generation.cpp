#include "engine/generation.h"

#include "engine/pass_ahead.h"
#include "engine/prompt_lookup.h"

namespace kvasir {
namespace {

// So many tokens said a second time are a loop, not a phrase that comes back.
constexpr std::ptrdiff_t kRepeatTokens = 16;
// Of an answer that is known, so many tokens go through the model behind the next one.
constexpr int kScriptAhead = 3;

bool endsAnswer(const Tokenizer& tokenizer, TokenId token) {
  const auto& ends = tokenizer.vocabulary().ends;
  return std::ranges::find(ends, token) != ends.end();
}

/// Bytes of tokens as whole UTF-8 characters: what is cut short waits for the next token.
class TextAssembler {
 public:
  std::string add(const std::string& bytes) {
    pending_ += bytes;
    std::size_t whole = pending_.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, whole); ++back) {
      const auto lead = static_cast<unsigned char>(pending_[whole - back]);
      if ((lead & 0xC0) == 0x80) continue;  // a following byte
      const std::size_t needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
      if (needed > back) whole -= back;
      break;
    }
    std::string text = pending_.substr(0, whole);
    pending_.erase(0, whole);
    return text;
  }

 private:
  std::string pending_;
};

constexpr const char* kBlank = " \t\r\n";

/// Whether the last tokens stood, all of them, in the answer before.
bool endsInRepeat(const std::vector<TokenId>& answer) {
  const auto tail = answer.end() - std::min<std::ptrdiff_t>(kRepeatTokens, std::ssize(answer));
  return std::ssize(answer) > kRepeatTokens &&
         std::search(answer.begin(), answer.end() - 1, tail, answer.end()) != answer.end() - 1;
}

/// What is left of a text cut at `end`: its whole sentences, or all of it where it has none.
std::string wholeSentences(const std::string& text, std::size_t end) {
  const std::string kept = text.substr(0, end);
  const std::size_t last = kept.find_last_of(".!?\n");
  return last == std::string::npos ? kept : kept.substr(0, last + 1);
}

}  // namespace

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Said sayAnswer(const LoadedModel& model, ForwardPass& pass, const at::Tensor& lastRow, TokenView text,
               const Asking& asking, Answer& answer) {
  const auto& [settings, script, listener, start] = asking;
  Sampler sampler(settings.sampling);
  TextAssembler assembler;
  const at::Tensor first = pass.logits(lastRow).contiguous();
  std::span<const float> logits(first.data_ptr<float>(), static_cast<std::size_t>(first.size(1)));
  answer.stoppedByLimit = true;
  Said said;
  const int most = script ? static_cast<int>(script->size()) : settings.maxTokens;
  PromptLookup lookup(text);
  const auto next = [&](int atMost) {
    const int left = most - static_cast<int>(said.tokens.size());
    if (!settings.speculates) return std::vector<TokenId>();
    if (!script) return lookup.guess(said.tokens, std::min(atMost, left - 1));
    const auto known = script->begin() + std::ssize(said.tokens);
    return std::vector<TokenId>(known, known + std::min({atMost, left, kScriptAhead}));
  };
  PassAhead ahead(pass, next, [&](int guessed, int right, double cost) {
    if (script) return;
    lookup.judge(guessed, right, cost);
    answer.guessedTokens += guessed;
    answer.rightGuesses += right;
  });
  for (int count = 0; count < most; ++count) {
    const TokenId token = script ? (*script)[static_cast<std::size_t>(count)] : sampler.pick(logits);
    if (count == 0) answer.firstTokenSeconds = secondsSince(start);
    answer.logProbability += logProbability(logits, token);
    if (!script && endsAnswer(*model.tokenizer, token)) {
      answer.stoppedByLimit = false;
      break;
    }
    ++answer.answerTokens;
    said.tokens.push_back(token);
    said.starts.push_back(answer.text.size());
    const std::string words = assembler.add(model.tokenizer->bytesOf(token));
    answer.text += words;
    if (!script && !words.empty()) listener.answerText(words);
    const double speed = count > 0 ? count / (secondsSince(start) - answer.firstTokenSeconds) : 0;
    listener.progress({script ? Stage::Retrieving : Stage::Answering, count + 1, most, speed});
    if (!script && settings.repeats == Repeats::Stop && endsInRepeat(said.tokens)) {
      answer.text = wholeSentences(answer.text, said.starts[said.tokens.size() - kRepeatTokens]);
      answer.stoppedByLimit = false;
      answer.stoppedByRepeat = true;
      break;
    }
    if (script || count + 1 < most) logits = ahead.after(token);
  }
  ahead.settle();
  const std::size_t blank = std::min(answer.text.find_first_not_of(kBlank), answer.text.size());
  answer.text = trimmed(answer.text);
  for (std::size_t& place : said.starts)
    place = std::min(place > blank ? place - blank : 0, answer.text.size());
  return said;
}

std::vector<AnswerLook> placeLooks(std::vector<AnswerLook> looks, const Said& said, const std::string& text) {
  const auto placed = [&](std::size_t token) {
    return token < said.starts.size() ? said.starts[token] : text.size();
  };
  if (looks.size() > said.tokens.size() + 1) looks.resize(said.tokens.size() + 1);
  for (std::size_t i = 1; i < looks.size(); ++i) {
    looks[i].start = placed(i - 1);
    looks[i].end = placed(i);
  }
  return looks;
}

}  // namespace kvasir
