#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "engine/model/chat_template.h"
#include "engine/model/dequantize.h"
#include "engine/model/gguf.h"
#include "engine/model/tokenizer.h"

namespace kvasir {
namespace {

void readEnds(const GgufTensor& tensor) {
  const std::int64_t block = blockFormat(static_cast<std::uint32_t>(tensor.type))->blockValues;
  std::vector<float> values(static_cast<std::size_t>(block));
  dequantize(tensor, 0, block, values.data());
  dequantize(tensor, tensor.count() - block, block, values.data());
  if (tensor.count() <= 4096) toAffineBlocks(tensor);
}

void readWith(const Tokenizer& tokenizer) {
  for (const std::string_view text : {"the 12 owls'  \n\n<|im_end|>", "\xf0\x9f\xa6\x89 \xff \xe6\xbc"}) {
    std::vector<TokenId> ids;
    std::size_t position = 0;
    for (const Token& token : tokenizer.encode(text)) {
      if (token.start != position || token.end < token.start || token.end > text.size()) __builtin_trap();
      position = token.end;
      ids.push_back(token.id);
    }
    tokenizer.decode(ids);
  }
  encodeTemplate(tokenizer, "<|im_start|>user\n");
}

void open(std::span<const std::byte> bytes) {
  const GgufFile file(bytes);
  for (const auto& [name, tensor] : file.tensors()) readEnds(tensor);
  readWith(*makeTokenizer(file));
  chooseChatTemplate(file.text("tokenizer.chat_template").value_or(""));
}

}  // namespace
}  // namespace kvasir

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    kvasir::open({reinterpret_cast<const std::byte*>(data), size});
  } catch (const std::runtime_error&) {
    // A sentence is how a damaged file shall end; anything else is a find.
  }
  return 0;
}
