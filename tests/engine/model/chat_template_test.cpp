#include "engine/model/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/model/gguf.h"
#include "tests/engine/model/synthetic_gguf.h"
#include "tests/engine/model/testing_models.h"

namespace kvasir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string prompt(const ChatTemplate& chat, const std::string& system, const std::string& question) {
  const FirstTurn turn = firstTurn(chat, system.empty() ? SystemText::None : SystemText::Given);
  return turn.beforeSystem + system + turn.beforeQuestion + question + turn.afterQuestion;
}

std::string promptFor(std::string_view modelTemplate) {
  return prompt(chooseChatTemplate(modelTemplate), "S", "Q");
}

TEST(ChatTemplates, ChatmlIsKnownByItsMark) {
  EXPECT_EQ(promptFor("{{'<|im_start|>' + message['role']}}"),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplates, Llama2PutsTheSystemTextInsideTheTurn) {
  EXPECT_EQ(promptFor("[INST] {{ '<<SYS>>' }}"), "[INST] <<SYS>>\nS\n<</SYS>>\n\nQ [/INST]");
}

TEST(ChatTemplates, Llama3HasHeaders) {
  EXPECT_EQ(promptFor("{{ '<|start_header_id|>' }}"),
            "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>"
            "\n\nQ<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplates, MistralAndGemmaHaveNoSystemRole) {
  EXPECT_EQ(promptFor("{{ '[INST] ' + content + ' [/INST]' }}"), "[INST] S\n\nQ [/INST]");
  EXPECT_EQ(promptFor("{{ '<start_of_turn>' }}"),
            "<start_of_turn>user\nS\n\nQ<end_of_turn>\n<start_of_turn>model\n");
}

TEST(ChatTemplates, PhiAndZephyrDifferInWhatEndsATurn) {
  EXPECT_EQ(promptFor("<|user|> <|end|>"), "<|system|>\nS<|end|>\n<|user|>\nQ<|end|>\n<|assistant|>\n");
  EXPECT_EQ(promptFor("<|user|> + eos_token"), "<|system|>\nS</s>\n<|user|>\nQ</s>\n<|assistant|>\n");
  EXPECT_EQ(promptFor("<|user|> <|endoftext|>"),
            "<|system|>\nS<|endoftext|>\n<|user|>\nQ<|endoftext|>\n<|assistant|>\n");
}

TEST(ChatTemplates, WithoutASystemTextNothingOfItStays) {
  for (const ChatTemplate& chat : chatTemplates()) {
    EXPECT_EQ(prompt(chat, "", "Q"), chat.userOpen + "Q" + chat.userClose + chat.answerOpen) << chat.name;
  }
}

TEST(ChatTemplates, AModelWithoutOneIsAskedPlainly) {
  EXPECT_EQ(chooseChatTemplate("").name, "plain");
  EXPECT_EQ(promptFor(""), "S\n\nQ\n\n");
}

TEST(ChatTemplates, AnUnknownOneIsNamed) {
  try {
    chooseChatTemplate("{{ '### Human: ' }}");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("### Human"));
  }
}

TEST(ChatTemplates, HaveDifferentNames) {
  std::set<std::string> names;
  for (const ChatTemplate& chat : chatTemplates()) EXPECT_TRUE(names.insert(chat.name).second) << chat.name;
}

TEST(ChatTemplates, BecomeControlTokensAndPlainText) {
  const auto bytes = syntheticGguf({});
  const auto tokenizer = makeTokenizer(GgufFile(bytes));
  const auto tokens = encodeTemplate(*tokenizer, "<|im_start|>on<|im_end|>\n");
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens.front(), 1);
  EXPECT_EQ(tokenizer->bytesOf(tokens[1]), "on");
  EXPECT_EQ(tokens[2], 2);
  EXPECT_EQ(tokenizer->bytesOf(tokens[3]), "\n");
}

TEST(ChatTemplates, TheDefaultModelIsToldAsItsOwnTemplateSays) {
  const auto path = realModel(kSmolModel);
  if (!path) GTEST_SKIP() << kSmolModel << " is not on this machine: ./dev setup fetches it";
  const GgufFile file(*path);
  const ChatTemplate& chat = chooseChatTemplate(file.text("tokenizer.chat_template").value_or(""));
  EXPECT_EQ(chat.name, "chatml");
  const auto tokenizer = makeTokenizer(file);
  EXPECT_THAT(encodeTemplate(*tokenizer, chat.userClose + chat.answerOpen),
              ElementsAre(2, 198, 1, 520, 9531, 198));
}

}  // namespace
}  // namespace kvasir
