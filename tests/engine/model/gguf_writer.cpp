#include "tests/engine/model/gguf_writer.h"

namespace kvasir {
namespace {

constexpr std::size_t kAlignment = 32;

template <typename Number>
void append(std::string& to, Number value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void appendText(std::string& to, std::string_view value) {
  append(to, static_cast<std::uint64_t>(value.size()));
  to.append(value);
}

std::string listHead(std::uint32_t type, std::size_t count) {
  std::string head;
  append(head, type);
  append(head, static_cast<std::uint64_t>(count));
  return head;
}

void pad(std::string& to) { to.append((kAlignment - to.size() % kAlignment) % kAlignment, '\0'); }

}  // namespace

void GgufWriter::raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
  appendText(metadata_, key);
  append(metadata_, type);
  metadata_.append(bytes);
  ++metadataCount_;
}

void GgufWriter::integer(std::string_view key, std::int64_t value) {
  raw(key, 11, {reinterpret_cast<const char*>(&value), sizeof value});
}

void GgufWriter::real(std::string_view key, float value) {
  raw(key, 6, {reinterpret_cast<const char*>(&value), sizeof value});
}

void GgufWriter::flag(std::string_view key, bool value) {
  raw(key, 7, value ? std::string("\1") : std::string(1, '\0'));
}

void GgufWriter::text(std::string_view key, std::string_view value) {
  std::string bytes;
  appendText(bytes, value);
  raw(key, 8, bytes);
}

void GgufWriter::texts(std::string_view key, const std::vector<std::string>& values) {
  std::string bytes = listHead(8, values.size());
  for (const std::string& value : values) appendText(bytes, value);
  raw(key, 9, bytes);
}

void GgufWriter::reals(std::string_view key, const std::vector<float>& values) {
  std::string bytes = listHead(6, values.size());
  for (const float value : values) append(bytes, value);
  raw(key, 9, bytes);
}

void GgufWriter::integers(std::string_view key, const std::vector<std::int32_t>& values) {
  std::string bytes = listHead(5, values.size());
  for (const std::int32_t value : values) append(bytes, value);
  raw(key, 9, bytes);
}

void GgufWriter::rawTensor(std::string_view name, std::uint32_t type,
                           const std::vector<std::uint64_t>& innermostFirst, std::uint64_t offset) {
  appendText(tensors_, name);
  append(tensors_, static_cast<std::uint32_t>(innermostFirst.size()));
  for (const std::uint64_t dimension : innermostFirst) append(tensors_, dimension);
  append(tensors_, type);
  append(tensors_, offset);
  ++tensorCount_;
}

void GgufWriter::tensor(std::string_view name, TensorType type, const std::vector<std::int64_t>& shape,
                        const std::vector<std::byte>& data) {
  pad(data_);
  rawTensor(name, static_cast<std::uint32_t>(type), {shape.rbegin(), shape.rend()}, data_.size());
  data_.append(reinterpret_cast<const char*>(data.data()), data.size());
}

std::vector<std::byte> GgufWriter::bytes(std::uint32_t version) const {
  std::string file = "GGUF";
  append(file, version);
  append(file, tensorCount_);
  append(file, metadataCount_);
  file += metadata_;
  file += tensors_;
  pad(file);
  file += data_;
  const auto* first = reinterpret_cast<const std::byte*>(file.data());
  return {first, first + file.size()};
}

}  // namespace kvasir
