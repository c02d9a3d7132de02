#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/gguf.h"

namespace kvasir {

/// How a file stretches rotary frequencies. Linear: positions divided by 4. Llama3: a factor for each pair, in
/// rope_freqs.weight. Long: LongRoPE's factors, which change nothing up to half of the context.
enum class RopeScaling { None, Linear, Llama3, Long };

/// A tiny random model for tests: it says nothing sensible, but goes through every part of the engine in
/// milliseconds. Its vocabulary has a token for each byte, some merges, and the control tokens <|endoftext|>
/// (id 0), <|im_start|> (1) and <|im_end|> (2); further ids are unused. Rows of Q*_K tensors must be multiples
/// of 256, of other quantised types of 32.
struct SyntheticModel {
  std::string architecture = "llama";  ///< or "gemma3", "phi3"
  int layers = 2, width = 64, heads = 4, kvHeads = 2, headDimension = 16, feedForward = 128;
  int vocabulary = 320;
  int context = 2048;
  int slidingWindow = 16;             ///< gemma3 only; every sixth layer is global
  double ropeBase = 10000;            ///< of the global layers in gemma3
  TensorType type = TensorType::F32;  ///< of all matrices; norms are F32
  bool tiedOutput = true;             ///< no output.weight
  RopeScaling scaling = RopeScaling::None;
  std::uint64_t seed = 1;
};

/// The bytes of a GGUF file; GgufFile opens them in place.
std::vector<std::byte> syntheticGguf(const SyntheticModel& model);

/// The same as a file of that name in `folder`, for what opens paths.
std::filesystem::path writeSyntheticGguf(const SyntheticModel& model, const std::filesystem::path& folder,
                                         const std::string& fileName = "synthetic.gguf");

/// Random blocks of a type whose values have about this standard deviation and mean zero; quantised types use
/// every level and, where there are some, uneven scales and minima.
std::vector<std::byte> randomTensor(TensorType type, std::int64_t count, float deviation, std::uint64_t seed);

}  // namespace kvasir
