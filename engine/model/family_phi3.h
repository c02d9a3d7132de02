#pragma once

#include <string>

namespace kvasir {

class GgufFile;
struct ModelShape;

/// Phi-3, Phi-3.5 and what else is converted as they are (not those that turn only a part of a head, which are
/// refused). LongRoPE's factors are in the file where the model has them. Departure: the 4k models' window of
/// 2,047 tokens is left out, as llama.cpp does; with it no layer would see beyond, and none could retrieve.
void readPhi3Shape(const GgufFile& file, const std::string& prefix, ModelShape& shape);

}  // namespace kvasir
