#include "engine/model/safetensors.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace kvasir {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLongestHeader = std::uint64_t{16} << 20;
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

std::uint16_t toBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
float fromBfloat16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw std::runtime_error(file.filename().string() + " is not a sound safetensors file: " + why + ".");
}

struct Entry {
  std::string type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
  std::uint64_t count = 1;
};

Entry entryOf(const Json& json, std::uint64_t dataBytes, const std::filesystem::path& file) {
  Entry entry;
  entry.type = json.at("dtype").get<std::string>();
  entry.shape = json.at("shape").get<std::vector<std::int64_t>>();
  const auto offsets = json.at("data_offsets").get<std::vector<std::uint64_t>>();
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes)
    refuse(file, "a tensor lies outside it");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  for (const std::int64_t size : entry.shape) {
    if (size < 0 || (size > 0 && entry.count > kMostBytes / static_cast<std::uint64_t>(size)))
      refuse(file, "a shape is impossible");
    entry.count *= static_cast<std::uint64_t>(size);
  }
  const std::uint64_t width = entry.type == "I64" ? 8 : entry.type == "F32" ? 4 : entry.type == "BF16" ? 2 : 0;
  if (width == 0) refuse(file, "the type " + entry.type + " is not read here");
  if (entry.count * width != entry.end - entry.begin) refuse(file, "a tensor's shape and bytes differ");
  return entry;
}

std::vector<float> valuesOf(const Entry& entry, const std::string& data) {
  std::vector<float> values(entry.count);
  if (entry.type == "F32") {
    std::memcpy(values.data(), data.data() + entry.begin, entry.count * sizeof(float));
    return values;
  }
  for (std::uint64_t i = 0; i < entry.count; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, data.data() + entry.begin + i * sizeof bits, sizeof bits);
    values[i] = fromBfloat16(bits);
  }
  return values;
}

}  // namespace

std::string Safetensors::value(const std::string& key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

Safetensors readSafetensors(const std::filesystem::path& file) {
  static_assert(std::endian::native == std::endian::little);
  std::ifstream stream(file, std::ios::binary);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (!stream || error) throw std::runtime_error(file.string() + " cannot be read.");
  std::uint64_t headerBytes = 0;
  if (size < sizeof headerBytes || size > kMostBytes) refuse(file, "its size is impossible");
  stream.read(reinterpret_cast<char*>(&headerBytes), sizeof headerBytes);
  if (headerBytes > kLongestHeader || headerBytes > size - sizeof headerBytes)
    refuse(file, "its header is cut off");
  std::string header(headerBytes, '\0'), data(size - sizeof headerBytes - headerBytes, '\0');
  stream.read(header.data(), static_cast<std::streamsize>(header.size()));
  stream.read(data.data(), static_cast<std::streamsize>(data.size()));
  if (!stream) refuse(file, "it is cut off");
  Safetensors contents;
  try {
    const Json parsed = Json::parse(header);
    for (const auto& [name, value] : parsed.items()) {
      if (name == "__metadata__") {
        contents.metadata = value.get<std::map<std::string, std::string>>();
        continue;
      }
      const Entry entry = entryOf(value, data.size(), file);
      if (entry.type == "I64") continue;
      contents.tensors[name] = {entry.shape, valuesOf(entry, data)};
    }
  } catch (const Json::exception&) {
    refuse(file, "its header is damaged");
  }
  return contents;
}

void writeSafetensors(const std::filesystem::path& file, const Safetensors& contents, StoredAs form) {
  const bool isRounded = form == StoredAs::Bfloat16;
  const std::size_t width = isRounded ? sizeof(std::uint16_t) : sizeof(float);
  Json header = {{"__metadata__", contents.metadata}};
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    const std::uint64_t end = offset + tensor.values.size() * width;
    header[name] = {
        {"dtype", isRounded ? "BF16" : "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::filesystem::path part = file.string() + ".part";
  {
    std::ofstream stream(part, std::ios::binary);
    const std::uint64_t headerBytes = text.size();
    stream.write(reinterpret_cast<const char*>(&headerBytes), sizeof headerBytes);
    stream << text;
    for (const auto& [name, tensor] : contents.tensors) {
      if (!isRounded) {
        stream.write(reinterpret_cast<const char*>(tensor.values.data()),
                     static_cast<std::streamsize>(tensor.values.size() * width));
        continue;
      }
      std::vector<std::uint16_t> rounded;
      for (const float value : tensor.values) rounded.push_back(toBfloat16(value));
      stream.write(reinterpret_cast<const char*>(rounded.data()),
                   static_cast<std::streamsize>(rounded.size() * width));
    }
    stream.flush();
    if (!stream)
      throw std::runtime_error(file.string() +
                               " cannot be written; check the folder and the room on the disk.");
  }
  std::filesystem::rename(part, file);
}

}  // namespace kvasir
