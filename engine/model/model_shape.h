#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvasir {

class GgufFile;

/// How a head's dimensions are paired for rotary positions in the file: neighbours (2i, 2i + 1), or halves (i,
/// i + d/2).
enum class PairOrder { Neighbours, Halves };
enum class Activation { Silu, Gelu };

/// The numbers that make a decoder of one family, read from a model file and checked.
struct ModelShape {
  std::string family;  ///< the row's name
  int layers = 0, width = 0, heads = 0, kvHeads = 0, headDimension = 0, feedForward = 0, vocabulary = 0;
  int trainedTokens = 0;
  double normEpsilon = 1e-5;
  double ropeBase = 10000;   ///< of layers that see everything
  double localRopeBase = 0;  ///< of sliding-window layers; 0: the same
  double ropeDivisor = 1;    ///< positions of global layers are divided by it (linear scaling)
  std::vector<float>
      ropeFactors;  ///< [headDimension / 2], frequencies are divided by them (Llama 3); empty: none
  int originalTokens =
      0;  ///< LongRoPE: the length before it was stretched; 0: the file carries no long factors
  std::vector<float> longRopeFactors;  ///< LongRoPE: as ropeFactors, for texts beyond originalTokens
  double ropeMagnitude = 1;            ///< LongRoPE: cosines and sines are multiplied by it
  int window = 0;            ///< tokens a sliding-window layer sees, its own included; 0: no such layers
  int windowPattern = 0;     ///< every so many layers one sees everything
  float attentionScale = 1;  ///< of the products of queries and keys
  float embeddingScale = 1;
  PairOrder pairs = PairOrder::Neighbours;
  Activation activation = Activation::Silu;
  bool hasHeadNorms = false;  ///< queries and keys are normalised per head
  bool hasPostNorms = false;  ///< norms after attention and feed-forward too
  bool isFused = false;  ///< the file has queries, keys and values in one matrix, and gate and up in another

  bool isLocal(int layer) const { return window > 0 && (layer + 1) % windowPattern != 0; }
  int group() const { return heads / kvHeads; }
};

/// One model family: which `general.architecture` it reads, and how.
struct ModelFamily {
  const char* name;
  std::vector<std::string_view> architectures;
  void (*readShape)(const GgufFile& file, const std::string& prefix, ModelShape& shape);
};

const std::vector<ModelFamily>& modelFamilies();

/// The shape of a model file. Throws std::runtime_error with a sentence for an unknown family or impossible
/// numbers.
ModelShape readModelShape(const GgufFile& file);

}  // namespace kvasir
