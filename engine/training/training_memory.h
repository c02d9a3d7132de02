#pragma once

#include <cstdint>

#include "engine/loaded_model.h"

namespace kvasir {

/// Memory that programs may still take, in bytes; 0 where the system does not say.
std::uint64_t availableMemoryBytes();

/// Throws a sentence where a training takes more memory than there is. available: 0 where that is not known.
/// remedy: what is to be made smaller.
void requireMemory(std::uint64_t needed, std::uint64_t available, const char* remedy);

/// Does work, and says in a sentence where memory did not suffice.
void withMemory(const std::function<void()>& work, const char* remedy);

/// Of the weights as FrozenModel holds them, beside the model's own.
std::uint64_t frozenBytes(const LoadedModel& model);
/// Of so many numbers that are trained: themselves, gradients, and Adam's two means.
inline std::uint64_t trainedBytes(std::int64_t numbers) {
  return 4 * sizeof(float) * static_cast<std::uint64_t>(numbers);
}

/// Rows that go through a FrozenModel together, counted as memory goes.
struct RunSize {
  std::int64_t rows = 0;     ///< tokens
  std::int64_t targets = 0;  ///< tokens that are foreseen
  std::int64_t pairs = 0;    ///< of a query and a key that it meets, each head's alone
  std::int64_t seen = 0;     ///< keys of what was read before, and as many values, that are copied
};
/// What stays of a run until its gradients are taken, about.
std::uint64_t runBytes(const LoadedModel& model, const RunSize& run);

/// Keys and values of a text that is read into memory.
std::uint64_t readBytes(const LoadedModel& model, std::int64_t tokens);

}  // namespace kvasir
