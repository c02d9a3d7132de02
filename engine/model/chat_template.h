#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tokenizer.h"

namespace kvasir {

class GgufFile;

/// How a model was taught to see a conversation. Strings may hold control tokens; texts of users never do.
struct ChatTemplate {
  std::string name;             ///< "chatml", "llama2", "llama3", "mistral", "gemma", "zephyr", "phi3", "plain"
  std::string beginning;        ///< before everything ("<s>"), unless the tokenizer adds it
  std::string systemOpen, systemClose;  ///< around a system text; empty when it goes into the first user turn
  std::string userOpen, userClose;
  std::string answerOpen, answerClose;
};

/// The row of the table whose marks stand in the template text; "plain" (question, blank line) for a model without.
/// A template that matches no row throws with a sentence naming it.
const ChatTemplate& chooseChatTemplate(std::string_view modelTemplate);

/// Every row, for tests and for `models`.
const std::vector<ChatTemplate>& chatTemplates();

/// Tokens of template text: control marks become their tokens, everything else is encoded as plain text.
std::vector<TokenId> encodeTemplate(const Tokenizer& tokenizer, std::string_view text);

}  // namespace kvasir
