#include "app/word_packing.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace kvasir {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHeaderBytes = 5;              // version, size inflated (little endian)
constexpr std::uint32_t kMostInflated = 256u << 20;  // of one page: a bound for damaged files only
constexpr float kFarthest = 1e6F;                    // points

[[noreturn]] void failAsDamaged() { throw std::runtime_error("the boxes of a page are damaged"); }

/// Edges in steps.
struct Steps {
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
};

std::int64_t toSteps(float points) {
  if (!std::isfinite(points)) return 0;
  return std::llround(std::clamp(points, -kFarthest, kFarthest) * kBoxStepsPerPoint);
}

Steps toSteps(const Box& box) {
  return {toSteps(box.left), toSteps(box.top), toSteps(box.right), toSteps(box.bottom)};
}

Box toBox(const Steps& steps) {
  const auto points = [](std::int64_t step) { return static_cast<float>(step) / kBoxStepsPerPoint; };
  return {points(steps.left), points(steps.top), points(steps.right), points(steps.bottom)};
}

class Writer {
 public:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void difference(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  /// Neighbours touch and have one height, so these differences are mostly near zero.
  void box(const Steps& box, const Steps& before) {
    difference(box.left - before.right);
    difference(box.top - before.top);
    difference(box.right - box.left);
    difference(box.bottom - before.bottom);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool atEnd() const { return at_ == bytes_.size(); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (atEnd()) failAsDamaged();
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    failAsDamaged();
  }
  std::int64_t difference() {
    const std::uint64_t value = number();
    const auto decoded = static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
    if (std::abs(decoded) > std::int64_t{1} << 40) failAsDamaged();
    return decoded;
  }
  Steps box(const Steps& before) {
    Steps box;
    box.left = before.right + difference();
    box.top = before.top + difference();
    box.right = box.left + difference();
    box.bottom = before.bottom + difference();
    return box;
  }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(kHeaderBytes + size, '\0');
  packed[0] = kVersion;
  for (int i = 0; i < 4; ++i)
    packed[static_cast<std::size_t>(i) + 1] = static_cast<char>(bytes.size() >> (8 * i));
  const int result =
      compress2(reinterpret_cast<Bytef*>(packed.data() + kHeaderBytes), &size,
                reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()), 6);
  if (result != Z_OK) throw std::runtime_error("There is not enough memory to store the document's boxes.");
  packed.resize(kHeaderBytes + size);
  return packed;
}

std::string inflated(std::string_view packed) {
  if (packed.size() < kHeaderBytes || packed[0] != kVersion) failAsDamaged();
  std::uint32_t expected = 0;
  for (int i = 0; i < 4; ++i) {
    expected |= std::uint32_t{static_cast<unsigned char>(packed[static_cast<std::size_t>(i) + 1])} << (8 * i);
  }
  if (expected > kMostInflated) failAsDamaged();
  std::string bytes(expected, '\0');
  uLongf size = expected;
  const int result = uncompress(reinterpret_cast<Bytef*>(bytes.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data() + kHeaderBytes),
                                static_cast<uLong>(packed.size() - kHeaderBytes));
  if (result != Z_OK || size != expected) failAsDamaged();
  return bytes;
}

}  // namespace

std::string packWords(std::span<const Word> words) {
  Writer writer;
  std::int64_t end = 0;
  Steps before;
  for (const Word& word : words) {
    writer.difference(static_cast<std::int64_t>(word.start) - end);
    writer.number(word.end - word.start);
    end = static_cast<std::int64_t>(word.end);
    const Steps whole = toSteps(word.box);
    writer.box(whole, before);
    writer.number(word.characters.size());
    Steps last = {whole.left, whole.top, whole.left, whole.bottom};
    for (const Box& character : word.characters) {
      const Steps steps = toSteps(character);
      writer.box(steps, last);
      last = steps;
    }
    before = whole;
  }
  return deflated(writer.bytes());
}

std::vector<Word> unpackWords(std::string_view bytes, std::int32_t page) {
  const std::string plain = inflated(bytes);
  Reader reader(plain);
  std::vector<Word> words;
  std::int64_t end = 0;
  Steps before;
  while (!reader.atEnd()) {
    Word word;
    word.page = page;
    const std::int64_t start = end + reader.difference();
    const std::uint64_t length = reader.number();
    if (start < 0 || length > std::uint64_t{1} << 40) failAsDamaged();
    end = start + static_cast<std::int64_t>(length);
    word.start = static_cast<std::size_t>(start);
    word.end = static_cast<std::size_t>(end);
    before = reader.box(before);
    word.box = toBox(before);
    const std::uint64_t count = reader.number();
    if (count > reader.left() / 4) failAsDamaged();  // a box takes four bytes or more
    word.characters.reserve(static_cast<std::size_t>(count));
    Steps last = {before.left, before.top, before.left, before.bottom};
    for (std::uint64_t i = 0; i < count; ++i) word.characters.push_back(toBox(last = reader.box(last)));
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace kvasir
