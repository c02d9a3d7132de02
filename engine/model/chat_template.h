#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

class GgufFile;

/// Where a system text stands: in a turn of its own, or at the head of the first user turn.
enum class SystemPlace { OwnTurn, FirstUserTurn };

/// How a model was taught to see a conversation. Strings may hold control tokens; texts of users never do.
struct ChatTemplate {
  std::string name;       ///< "chatml", "llama2", "llama3", "mistral", "gemma", "zephyr", "phi3", "plain", …
  std::string beginning;  ///< before everything ("<s>"), unless the tokenizer adds it
  std::string systemOpen, systemClose;  ///< around a system text; empty when it goes into the first user turn
  std::string userOpen, userClose;
  std::string answerOpen, answerClose;
  SystemPlace systemPlace = SystemPlace::OwnTurn;
};

/// Template text around the parts of a conversation of one question: the system text comes between the first
/// two, the question between the last two, the answer at the end. `beginning` is not part of it.
struct FirstTurn {
  std::string beforeSystem;  ///< empty without a system text
  std::string beforeQuestion;
  std::string afterQuestion;
};

enum class SystemText { None, Given };
FirstTurn firstTurn(const ChatTemplate& chat, SystemText system);

/// The row of the table whose marks stand in the template text; "plain" (question, blank line) for a model
/// without. A template that matches no row throws with a sentence naming it.
const ChatTemplate& chooseChatTemplate(std::string_view modelTemplate);

/// Every row, for tests and for `models`.
const std::vector<ChatTemplate>& chatTemplates();

/// Tokens of template text: control marks become their tokens, everything else is encoded as plain text.
std::vector<TokenId> encodeTemplate(const Tokenizer& tokenizer, std::string_view text);

}  // namespace kvasir
