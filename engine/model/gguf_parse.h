#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/gguf.h"

namespace kvasir {

/// What the head of a file says, already checked against the file.
struct GgufHead {
  std::uint32_t version = 0;
  std::map<std::string, GgufFile::Value, std::less<>> metadata;
  std::map<std::string, GgufTensor, std::less<>> tensors;
};

/// `name` is for messages. Throws std::runtime_error with a sentence for anything that is not as it should be.
GgufHead parseGguf(std::span<const std::byte> bytes, const std::string& name);

/// A name from a file as it may stand in a message: short, and without control characters.
std::string printable(std::string_view text);

}  // namespace kvasir
