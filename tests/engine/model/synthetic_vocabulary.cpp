#include "tests/engine/model/synthetic_vocabulary.h"

#include <stdexcept>

namespace kvasir {
namespace {

constexpr int kNormal = 1, kControl = 3, kUnused = 5;

/// GPT-2's way to write any byte as a printable character: those that print stand for themselves, the others
/// follow from U+0100 on.
std::string writtenByte(int byte) {
  const auto prints = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  };
  int code = byte;
  if (!prints(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += prints(b) ? 0 : 1;
  }
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
}

const std::vector<std::string>& pairs() {
  static const std::vector<std::string> list = {
      "Ġ t", "Ġ a", "h e", "i n", "r e", "o n", "Ġt he", "e r", "Ġ s", "a t", "Ġ w",  "Ġ o",
      "e n", "Ġ c", "i t", "i s", "a n", "o r", "e s",   "Ġ b", "e d", "Ġ f", "in g", "Ġ p",
  };
  return list;
}

std::string joined(const std::string& pair) {
  const std::size_t space = pair.find(' ');
  return pair.substr(0, space) + pair.substr(space + 1);
}

}  // namespace

void addSyntheticVocabulary(GgufWriter& writer, int size, const std::string& preTokenizer) {
  if (size < 259) throw std::runtime_error("a synthetic vocabulary has at least 259 tokens");
  std::vector<std::string> texts = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<std::int32_t> types(3, kControl);
  for (int byte = 0; byte < 256; ++byte) texts.push_back(writtenByte(byte));
  std::vector<std::string> merges;
  for (const std::string& pair : pairs()) {
    if (static_cast<int>(texts.size()) == size) break;
    texts.push_back(joined(pair));
    merges.push_back(pair);
  }
  types.resize(texts.size(), kNormal);
  for (int i = 0; static_cast<int>(texts.size()) < size; ++i) texts.push_back("[PAD" + std::to_string(i) + "]");
  types.resize(texts.size(), kUnused);

  writer.text("tokenizer.ggml.model", "gpt2");
  writer.text("tokenizer.ggml.pre", preTokenizer);
  writer.texts("tokenizer.ggml.tokens", texts);
  writer.integers("tokenizer.ggml.token_type", types);
  writer.texts("tokenizer.ggml.merges", merges);
  writer.integer("tokenizer.ggml.bos_token_id", 1);
  writer.integer("tokenizer.ggml.eos_token_id", 2);
  writer.flag("tokenizer.ggml.add_bos_token", false);
  writer.flag("tokenizer.ggml.add_space_prefix", false);
  writer.text("tokenizer.chat_template",
              "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
              "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' "
              "}}{% endif %}");
}

}  // namespace kvasir
