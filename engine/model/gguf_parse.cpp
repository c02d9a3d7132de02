#include "engine/model/gguf_parse.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "engine/model/dequantize.h"

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they lie");

namespace kvasir {
namespace {

constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 24;  // the largest vocabularies have 2^18
constexpr std::uint64_t kLongestText = std::uint64_t{1} << 26;
constexpr std::int64_t kDefaultAlignment = 32;

enum class Field : std::uint32_t {
  Uint8,
  Int8,
  Uint16,
  Int16,
  Uint32,
  Int32,
  Float32,
  Bool,
  String,
  Array,
  Uint64,
  Int64,
  Float64,
};

constexpr std::string_view kReload = "; download or convert it again";

/// Bytes from the front of the file, never past its end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[noreturn]] void damaged(const std::string& what) const {
    throw std::runtime_error(name_ + " is damaged: " + what + std::string(kReload));
  }
  [[noreturn]] void unreadable(const std::string& what) const { throw std::runtime_error(name_ + " " + what); }

  std::size_t position() const { return position_; }
  std::uint64_t left() const { return bytes_.size() - position_; }
  std::span<const std::byte> rest() const { return bytes_.subspan(position_); }

  template <typename Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }

  std::string text() {
    const auto length = number<std::uint64_t>();
    if (length > kLongestText) damaged("it holds a text of " + std::to_string(length) + " bytes");
    const auto* from = take(length);
    return {reinterpret_cast<const char*>(from), static_cast<std::size_t>(length)};
  }

  void skipTo(std::size_t position) { position_ = position; }

 private:
  const std::byte* take(std::uint64_t count) {
    if (count > left()) damaged("it ends within its own description");
    const std::byte* from = bytes_.data() + position_;
    position_ += static_cast<std::size_t>(count);
    return from;
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
};

/// Numbers beyond the signed range are kept as the largest one: no key we use goes there, other keys may.
std::int64_t saturated(std::uint64_t value) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(value, most));
}

bool isReal(Field type) { return type == Field::Float32 || type == Field::Float64; }

std::int64_t readInteger(Cursor& cursor, Field type) {
  switch (type) {
    case Field::Uint8:
      return cursor.number<std::uint8_t>();
    case Field::Int8:
      return cursor.number<std::int8_t>();
    case Field::Uint16:
      return cursor.number<std::uint16_t>();
    case Field::Int16:
      return cursor.number<std::int16_t>();
    case Field::Uint32:
      return cursor.number<std::uint32_t>();
    case Field::Int32:
      return cursor.number<std::int32_t>();
    case Field::Uint64:
      return saturated(cursor.number<std::uint64_t>());
    case Field::Int64:
      return cursor.number<std::int64_t>();
    case Field::Bool:
      return cursor.number<std::uint8_t>() != 0 ? 1 : 0;
    default:
      break;
  }
  cursor.damaged("it holds a value of the unknown type " + std::to_string(static_cast<std::uint32_t>(type)));
}

double readReal(Cursor& cursor, Field type) {
  return type == Field::Float32 ? static_cast<double>(cursor.number<float>()) : cursor.number<double>();
}

template <typename Element, typename Read>
std::vector<Element> readElements(Cursor& cursor, std::uint64_t count, std::uint64_t leastBytes, Read read) {
  if (count > kMostElements || count > cursor.left() / leastBytes) {
    cursor.damaged("it holds a list of " + std::to_string(count) + " elements");
  }
  std::vector<Element> elements;
  elements.reserve(static_cast<std::size_t>(count));  // at most a small multiple of the bytes that are left
  for (std::uint64_t i = 0; i < count; ++i) elements.push_back(read());
  return elements;
}

GgufFile::Value readArray(Cursor& cursor, const std::string& key) {
  const auto type = static_cast<Field>(cursor.number<std::uint32_t>());
  const auto count = cursor.number<std::uint64_t>();
  if (type == Field::Array)
    cursor.unreadable("holds lists of lists in " + printable(key) + ", which no model needs");
  if (type == Field::String) return readElements<std::string>(cursor, count, 8, [&] { return cursor.text(); });
  if (isReal(type)) return readElements<double>(cursor, count, 4, [&] { return readReal(cursor, type); });
  return readElements<std::int64_t>(cursor, count, 1, [&] { return readInteger(cursor, type); });
}

GgufFile::Value readValue(Cursor& cursor, const std::string& key) {
  const auto type = static_cast<Field>(cursor.number<std::uint32_t>());
  if (type == Field::String) return cursor.text();
  if (type == Field::Array) return readArray(cursor, key);
  if (type == Field::Bool) return readInteger(cursor, type) != 0;
  if (isReal(type)) return readReal(cursor, type);
  return readInteger(cursor, type);
}

std::uint32_t readVersion(Cursor& cursor) {
  if (cursor.left() < 8 || std::memcmp(cursor.rest().data(), "GGUF", 4) != 0) {
    cursor.unreadable("is not a GGUF file; choose a model file whose name ends in .gguf");
  }
  cursor.skipTo(4);
  const auto version = cursor.number<std::uint32_t>();
  if ((version & 0xffffu) == 0) {
    cursor.unreadable("has its numbers in big-endian order; convert it to little-endian first");
  }
  if (version == 1)
    cursor.unreadable("is GGUF version 1, out of use since 2023; download or convert the model anew");
  if (version > 3) {
    cursor.unreadable("is GGUF version " + std::to_string(version) +
                      ", later than the versions 2 and 3 this program reads");
  }
  return version;
}

void readMetadata(Cursor& cursor, std::uint64_t count, GgufHead& head) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.text();
    if (head.metadata.contains(key)) cursor.damaged("it says " + printable(key) + " twice");
    GgufFile::Value value = readValue(cursor, key);
    head.metadata.emplace(std::move(key), std::move(value));
  }
}

std::int64_t checkedAlignment(const Cursor& cursor, const GgufHead& head) {
  const auto found = head.metadata.find("general.alignment");
  if (found == head.metadata.end()) return kDefaultAlignment;
  const auto* alignment = std::get_if<std::int64_t>(&found->second);
  const bool sound = alignment != nullptr && *alignment > 0 && *alignment <= (1 << 20) &&
                     std::has_single_bit(static_cast<std::uint64_t>(*alignment));
  if (!sound) cursor.damaged("its alignment is not a power of two");
  return *alignment;
}

void checkOneFile(const Cursor& cursor, const GgufHead& head) {
  const auto found = head.metadata.find("split.count");
  if (found == head.metadata.end()) return;
  const auto* parts = std::get_if<std::int64_t>(&found->second);
  if (parts == nullptr || *parts <= 1) return;
  cursor.unreadable("is one of " + std::to_string(*parts) +
                    " parts of a model; join them first with llama-gguf-split --merge");
}

struct Placed {
  GgufTensor tensor;
  std::uint64_t offset = 0, bytes = 0;
};

/// Bytes the shape and type need; damaged when that does not fit the numbers of any file.
std::uint64_t bytesNeeded(const Cursor& cursor, const GgufTensor& tensor, const BlockFormat& format) {
  constexpr std::uint64_t most = std::uint64_t{1} << 48;
  std::uint64_t count = 1;
  for (const std::int64_t dimension : tensor.shape) {
    if (dimension <= 0) cursor.damaged("tensor " + printable(tensor.name) + " has an empty shape");
    if (static_cast<std::uint64_t>(dimension) > most / count) {
      cursor.damaged("tensor " + printable(tensor.name) + " is larger than any file");
    }
    count *= static_cast<std::uint64_t>(dimension);
  }
  if (tensor.shape.back() % format.blockValues != 0) {
    cursor.damaged("tensor " + printable(tensor.name) + " has rows that are not whole blocks of " +
                   format.name);
  }
  return count / static_cast<std::uint64_t>(format.blockValues) * static_cast<std::uint64_t>(format.blockBytes);
}

Placed readTensor(Cursor& cursor) {
  Placed placed;
  GgufTensor& tensor = placed.tensor;
  tensor.name = cursor.text();
  const auto dimensions = cursor.number<std::uint32_t>();
  if (dimensions == 0 || dimensions > kMostDimensions) {
    cursor.damaged("tensor " + printable(tensor.name) + " has " + std::to_string(dimensions) + " dimensions");
  }
  for (std::uint32_t i = 0; i < dimensions; ++i)
    tensor.shape.push_back(saturated(cursor.number<std::uint64_t>()));
  std::reverse(tensor.shape.begin(), tensor.shape.end());  // the file has the innermost first

  const auto type = cursor.number<std::uint32_t>();
  const BlockFormat* format = blockFormat(type);
  if (format == nullptr) {
    cursor.unreadable("has tensor " + printable(tensor.name) + " in type " + std::to_string(type) +
                      ", which this program does not read; use F32, F16, BF16, Q4_0 to Q8_0 or Q2_K to Q6_K");
  }
  tensor.type = format->type;
  placed.offset = cursor.number<std::uint64_t>();
  placed.bytes = bytesNeeded(cursor, tensor, *format);
  return placed;
}

std::vector<Placed> readTensors(Cursor& cursor, std::uint64_t count) {
  constexpr std::uint64_t least = 8 + 4 + 8 + 4 + 8;
  return readElements<Placed>(cursor, count, least, [&] { return readTensor(cursor); });
}

/// Gives every tensor its bytes, after checking that they lie in the file and belong to no other.
void placeTensors(const Cursor& cursor, std::vector<Placed> placed, std::span<const std::byte> data,
                  std::int64_t alignment, GgufHead& head) {
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
  std::uint64_t free = 0;
  for (Placed& next : placed) {
    const std::string name = printable(next.tensor.name);
    if (next.offset % static_cast<std::uint64_t>(alignment) != 0)
      cursor.damaged("tensor " + name + " is misplaced");
    if (next.offset > data.size() || next.bytes > data.size() - next.offset) {
      cursor.damaged("tensor " + name + " reaches past the end of the file");
    }
    if (next.offset < free) cursor.damaged("tensor " + name + " overlaps another");
    free = next.offset + next.bytes;
    next.tensor.data =
        data.subspan(static_cast<std::size_t>(next.offset), static_cast<std::size_t>(next.bytes));
    std::string key = next.tensor.name;
    if (!head.tensors.emplace(std::move(key), std::move(next.tensor)).second) {
      cursor.damaged("tensor " + name + " is there twice");
    }
  }
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 64;
  std::string result(text.substr(0, longest));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text.size() > longest ? result + "..." : result;
}

GgufHead parseGguf(std::span<const std::byte> bytes, const std::string& name) {
  Cursor cursor(bytes, name);
  GgufHead head;
  head.version = readVersion(cursor);
  const auto tensorCount = cursor.number<std::uint64_t>();
  const auto metadataCount = cursor.number<std::uint64_t>();
  readMetadata(cursor, metadataCount, head);
  checkOneFile(cursor, head);
  const std::int64_t alignment = checkedAlignment(cursor, head);
  std::vector<Placed> placed = readTensors(cursor, tensorCount);

  const auto step = static_cast<std::size_t>(alignment);
  const std::size_t padding = (step - cursor.position() % step) % step;
  const std::size_t start = std::min(bytes.size(), cursor.position() + padding);
  placeTensors(cursor, std::move(placed), bytes.subspan(start), alignment, head);
  return head;
}

}  // namespace kvasir
