#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kvasir {

/// Tensor types we read; the numbers are those of the file format.
enum class TensorType : std::uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  BF16 = 30,
};

const char* nameOf(TensorType type);

struct GgufTensor {
  std::string name;
  TensorType type = TensorType::F32;
  std::vector<std::int64_t> shape;  ///< rows last in the file, first here: [out, in] for a projection
  std::span<const std::byte> data;  ///< inside the mapped file, exactly the bytes the type and shape need
  std::int64_t count() const;
};

/// A GGUF v2 or v3 file, memory-mapped and read-only. Opening checks every length, offset, type and shape
/// against the file, so nothing later reads outside it; a file that fails throws std::runtime_error with one
/// sentence. Immutable; any thread may call it.
class GgufFile {
 public:
  using Strings = std::vector<std::string>;
  using Value = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>,
                             std::vector<double>, Strings>;

  explicit GgufFile(const std::filesystem::path& path);
  /// The same over bytes in memory, which must outlive the object (tests, fuzzers).
  explicit GgufFile(std::span<const std::byte> bytes, std::string name = "memory");
  ~GgufFile();

  std::string name() const;  ///< file name, for messages
  std::uint32_t version() const;
  std::span<const std::byte> bytes() const;  ///< the whole file

  const std::map<std::string, Value, std::less<>>& metadata() const;
  /// Typed look-ups: nothing when the key is missing; throws when it has another type.
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> real(std::string_view key) const;  ///< integers too
  std::optional<std::string> text(std::string_view key) const;
  std::optional<Strings> texts(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;  ///< booleans too
  std::optional<std::vector<double>> reals(std::string_view key) const;

  const std::map<std::string, GgufTensor, std::less<>>& tensors() const;
  const GgufTensor* find(std::string_view name) const;    ///< null when missing
  const GgufTensor& tensor(std::string_view name) const;  ///< throws a sentence when missing

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
};

/// Values of one tensor, or of `count` of them from `first` (a multiple of the type's block), as float.
void dequantize(const GgufTensor& tensor, std::int64_t first, std::int64_t count, float* out);

/// Every quantised GGUF type is, exactly, small integers with a scale and an offset a block:
/// weight = scale · level + offset. This is the form the products with few rows work on.
struct AffineBlocks {
  int blockSize = 32;               ///< 32, or 16 for Q2_K, Q3_K and Q6_K
  std::vector<std::int8_t> levels;  ///< [count]
  std::vector<float> scales;        ///< [count / blockSize]
  std::vector<float> offsets;  ///< [count / blockSize]; empty when all are zero (Q4_0, Q5_0, Q8_0, Q3_K, Q6_K)
};

/// Nothing for types that are not quantised (F32, F16, BF16).
std::optional<AffineBlocks> toAffineBlocks(const GgufTensor& tensor);

}  // namespace kvasir
