#include "engine/model/gguf.h"

#include <stdexcept>
#include <utility>

#include "engine/model/gguf_parse.h"
#include "engine/model/mapped_file.h"

namespace kvasir {

std::int64_t GgufTensor::count() const {
  std::int64_t product = 1;
  for (const std::int64_t dimension : shape) product *= dimension;
  return product;
}

struct GgufFile::Contents {
  std::optional<MappedFile> file;  // empty when the bytes are someone else's
  std::span<const std::byte> bytes;
  std::string name;
  GgufHead head;
};

GgufFile::GgufFile(const std::filesystem::path& path) : contents_(std::make_unique<Contents>()) {
  contents_->file.emplace(path);
  contents_->bytes = contents_->file->bytes();
  contents_->name = path.filename().string();
  contents_->head = parseGguf(contents_->bytes, contents_->name);
}

GgufFile::GgufFile(std::span<const std::byte> bytes, std::string name)
    : contents_(std::make_unique<Contents>()) {
  contents_->bytes = bytes;
  contents_->name = std::move(name);
  contents_->head = parseGguf(bytes, contents_->name);
}

GgufFile::~GgufFile() = default;

std::string GgufFile::name() const { return contents_->name; }
std::uint32_t GgufFile::version() const { return contents_->head.version; }
std::span<const std::byte> GgufFile::bytes() const { return contents_->bytes; }
const std::map<std::string, GgufFile::Value, std::less<>>& GgufFile::metadata() const {
  return contents_->head.metadata;
}

namespace {

[[noreturn]] void wrongType(const GgufFile& file, std::string_view key, const char* expected) {
  throw std::runtime_error(file.name() + " is damaged: " + printable(key) + " is not " + expected +
                           "; download or convert it again");
}

const GgufFile::Value* valueOf(const GgufFile& file, std::string_view key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? nullptr : &found->second;
}

template <typename Wanted>
std::optional<Wanted> lookUp(const GgufFile& file, std::string_view key, const char* expected) {
  const GgufFile::Value* value = valueOf(file, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* wanted = std::get_if<Wanted>(value)) return *wanted;
  wrongType(file, key, expected);
}

}  // namespace

std::optional<std::int64_t> GgufFile::integer(std::string_view key) const {
  const Value* value = valueOf(*this, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(value)) return *flag ? 1 : 0;
  return lookUp<std::int64_t>(*this, key, "a whole number");
}

std::optional<double> GgufFile::real(std::string_view key) const {
  const Value* value = valueOf(*this, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
  return lookUp<double>(*this, key, "a number");
}

std::optional<std::string> GgufFile::text(std::string_view key) const {
  return lookUp<std::string>(*this, key, "a text");
}

std::optional<GgufFile::Strings> GgufFile::texts(std::string_view key) const {
  return lookUp<Strings>(*this, key, "a list of texts");
}

std::optional<std::vector<std::int64_t>> GgufFile::integers(std::string_view key) const {
  return lookUp<std::vector<std::int64_t>>(*this, key, "a list of whole numbers");
}

std::optional<std::vector<double>> GgufFile::reals(std::string_view key) const {
  return lookUp<std::vector<double>>(*this, key, "a list of numbers");
}

const std::map<std::string, GgufTensor, std::less<>>& GgufFile::tensors() const {
  return contents_->head.tensors;
}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto found = tensors().find(name);
  return found == tensors().end() ? nullptr : &found->second;
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
  if (const GgufTensor* found = find(name)) return *found;
  throw std::runtime_error(contents_->name + " has no tensor " + printable(name) +
                           ": it is not a complete model of a family this program knows");
}

}  // namespace kvasir
