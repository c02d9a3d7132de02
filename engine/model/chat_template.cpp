#include "engine/model/chat_template.h"

#include <algorithm>
#include <stdexcept>

#include "engine/model/gguf_parse.h"
#include "engine/model/tokenizer_vocabulary.h"

namespace kvasir {
namespace {

/// A template, and the marks that all stand in the text of a model taught so. The first row that fits is taken,
/// so a row comes before those whose marks are among its own.
struct Row {
  std::vector<std::string_view> marks;
  ChatTemplate chat;
};

ChatTemplate chatml() {
  return {"chatml",
          "",
          "<|im_start|>system\n",
          "<|im_end|>\n",
          "<|im_start|>user\n",
          "<|im_end|>\n",
          "<|im_start|>assistant\n",
          "<|im_end|>\n"};
}

ChatTemplate phi4() {
  return {"phi4",
          "",
          "<|im_start|>system<|im_sep|>",
          "<|im_end|>",
          "<|im_start|>user<|im_sep|>",
          "<|im_end|>",
          "<|im_start|>assistant<|im_sep|>",
          "<|im_end|>"};
}

ChatTemplate llama3() {
  return {"llama3",
          "<|begin_of_text|>",
          "<|start_header_id|>system<|end_header_id|>\n\n",
          "<|eot_id|>",
          "<|start_header_id|>user<|end_header_id|>\n\n",
          "<|eot_id|>",
          "<|start_header_id|>assistant<|end_header_id|>\n\n",
          "<|eot_id|>"};
}

ChatTemplate llama2() {
  return {"llama2",   "<s>", "<<SYS>>\n", "\n<</SYS>>\n\n",          "[INST] ",
          " [/INST]", "",    "</s>",      SystemPlace::FirstUserTurn};
}

ChatTemplate mistral() {
  return {"mistral", "<s>", "", "", "[INST] ", " [/INST]", "", "</s>", SystemPlace::FirstUserTurn};
}

ChatTemplate mistralTekken() {
  return {"mistral-tekken", "<s>", "", "", "[INST]", "[/INST]", "", "</s>", SystemPlace::FirstUserTurn};
}

ChatTemplate mistralV7() {
  return {"mistral-v7", "<s>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[INST]", "[/INST]", "", "</s>"};
}

ChatTemplate gemma() {
  return {"gemma",
          "<bos>",
          "",
          "",
          "<start_of_turn>user\n",
          "<end_of_turn>\n",
          "<start_of_turn>model\n",
          "<end_of_turn>\n",
          SystemPlace::FirstUserTurn};
}

/// Phi-3 and the two Zephyrs differ only in what ends a turn.
ChatTemplate tagged(std::string name, const std::string& end) {
  return {std::move(name), "", "<|system|>\n", end, "<|user|>\n", end, "<|assistant|>\n", end};
}

ChatTemplate plain() { return {"plain", "", "", "", "", "\n\n", "", "\n\n", SystemPlace::FirstUserTurn}; }

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"<|im_start|>", "<|im_sep|>"}, phi4()},
      {{"<|im_start|>"}, chatml()},
      {{"<|start_header_id|>"}, llama3()},
      {{"[SYSTEM_PROMPT]", "[INST]"}, mistralV7()},
      {{"[INST]", "<<SYS>>"}, llama2()},
      {{"\"[INST]\""}, mistralTekken()},
      {{"[INST]"}, mistral()},
      {{"<start_of_turn>"}, gemma()},
      {{"<|user|>", "<|end|>"}, tagged("phi3", "<|end|>\n")},
      {{"<|user|>", "<|endoftext|>"}, tagged("zephyr-endoftext", "<|endoftext|>\n")},
      {{"<|user|>", "</s>"}, tagged("zephyr", "</s>\n")},
      {{"<|user|>", "eos_token"}, tagged("zephyr", "</s>\n")},
  };
  return table;
}

struct Mark {
  std::string_view text;
  TokenId token;
};

/// Control tokens that occur in the text, the longest first.
std::vector<Mark> marksIn(std::string_view text, const Tokenizer::Vocabulary& vocabulary) {
  std::vector<Mark> marks;
  for (TokenId token = 0; token < vocabulary.size; ++token) {
    const std::string& mark = vocabulary.texts[token];
    if (vocabulary.types[token] != kControlToken || mark.empty()) continue;
    if (text.find(mark) != std::string_view::npos) marks.push_back({mark, token});
  }
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.text.size() > b.text.size(); });
  return marks;
}

void appendPlain(const Tokenizer& tokenizer, std::string_view text, std::vector<TokenId>& tokens) {
  for (const Token& token : tokenizer.encode(text)) tokens.push_back(token.id);
}

}  // namespace

const ChatTemplate& chooseChatTemplate(std::string_view modelTemplate) {
  static const ChatTemplate none = plain();
  if (modelTemplate.empty()) return none;
  for (const Row& row : rows()) {
    const auto stands = [&](std::string_view mark) {
      return modelTemplate.find(mark) != std::string_view::npos;
    };
    if (std::all_of(row.marks.begin(), row.marks.end(), stands)) return row.chat;
  }
  throw std::runtime_error("The model wants conversations in a form this program does not know: \"" +
                           printable(modelTemplate) +
                           "\"; choose a model of the Llama, Mistral, Gemma, Phi or Qwen families");
}

const std::vector<ChatTemplate>& chatTemplates() {
  static const std::vector<ChatTemplate> all = [] {
    std::vector<ChatTemplate> list;
    for (const Row& row : rows()) {
      if (list.empty() || list.back().name != row.chat.name) list.push_back(row.chat);
    }
    list.push_back(plain());
    return list;
  }();
  return all;
}

FirstTurn firstTurn(const ChatTemplate& chat, SystemText system) {
  const std::string after = chat.userClose + chat.answerOpen;
  if (system == SystemText::None) return {"", chat.userOpen, after};
  if (chat.systemPlace == SystemPlace::OwnTurn)
    return {chat.systemOpen, chat.systemClose + chat.userOpen, after};
  const std::string between = chat.systemClose.empty() ? "\n\n" : chat.systemClose;
  return {chat.userOpen + chat.systemOpen, between, after};
}

std::vector<TokenId> encodeTemplate(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<Mark> marks = marksIn(text, tokenizer.vocabulary());
  std::vector<TokenId> tokens;
  std::size_t done = 0, position = 0;
  while (position < text.size()) {
    const auto mark = std::find_if(marks.begin(), marks.end(), [&](const Mark& candidate) {
      return text.substr(position).starts_with(candidate.text);
    });
    if (mark == marks.end()) {
      ++position;
      continue;
    }
    if (position > done) appendPlain(tokenizer, text.substr(done, position - done), tokens);
    tokens.push_back(mark->token);
    done = position += mark->text.size();
  }
  if (done < text.size()) appendPlain(tokenizer, text.substr(done), tokens);
  return tokens;
}

}  // namespace kvasir
