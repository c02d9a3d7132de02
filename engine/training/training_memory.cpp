#include "engine/training/training_memory.h"

#include <cstdio>
#include <fstream>
#include <new>

#include "engine/training/frozen_model.h"

namespace kvasir {
namespace {

std::string gigabytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

std::int64_t numbersOf(const WeightMatrix& matrix) {
  return std::int64_t{matrix.rows()} * std::int64_t{matrix.columns()};
}

/// Bytes of a number as the frozen model computes with it.
std::int64_t bytesEach(const LoadedModel& model) { return trainingForm(model) == DenseForm::Float32 ? 4 : 2; }

std::runtime_error tooLittle(const char* remedy) {
  return std::runtime_error(std::string("There is too little memory for this training; ") + remedy);
}

}  // namespace

std::uint64_t availableMemoryBytes() {
  std::ifstream file("/proc/meminfo");  // Linux; elsewhere there is none
  for (std::string word; file >> word;) {
    if (word != "MemAvailable:") continue;
    std::uint64_t kibibytes = 0;
    file >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

void requireMemory(std::uint64_t needed, std::uint64_t available, const char* remedy) {
  if (available == 0 || needed <= available) return;
  throw std::runtime_error("This training takes about " + gigabytes(needed) + " of memory, and " +
                           gigabytes(available) + " are free; " + remedy);
}

void withMemory(const std::function<void()>& work, const char* remedy) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    throw tooLittle(remedy);
  } catch (const c10::Error& error) {
    if (std::string(error.what_without_backtrace()).find("allocate memory") == std::string::npos) throw;
    throw tooLittle(remedy);
  }
}

std::uint64_t frozenBytes(const LoadedModel& model) {
  std::int64_t numbers = numbersOf(model.weights.embedding) + numbersOf(model.weights.head);
  for (const LayerWeights& layer : model.weights.layers)
    for (int i = 0; i < Adapter::kProjections; ++i)
      numbers += numbersOf(projectionOf(layer, static_cast<Adapter::Projection>(i)));
  return static_cast<std::uint64_t>(numbers * bytesEach(model));
}

std::uint64_t runBytes(const LoadedModel& model, const RunSize& run) {
  const ModelShape& shape = model.shape;
  const std::int64_t each = bytesEach(model), width = shape.width, dimension = shape.headDimension;
  const std::int64_t queries = shape.heads * dimension, keys = shape.kvHeads * dimension;
  // Of a row: two inputs of norms in float32, then the inputs of all products, queries, keys, values and gates.
  const std::int64_t ofRow = 8 * width + each * (2 * width + 2 * queries + 2 * keys + 4 * shape.feedForward);
  // Of a pair: its share of attention in float32, and as it is multiplied with values.
  const std::int64_t ofPair = shape.heads * (each < 4 ? 4 + each : 4);
  // Of what is seen: key and value, and the values once more beside the block's own.
  const std::int64_t ofSeen = 3 * each * keys;
  const std::int64_t layers = shape.layers * (run.rows * ofRow + run.pairs * ofPair + run.seen * ofSeen);
  return static_cast<std::uint64_t>(layers + run.targets * shape.vocabulary * (each + 8));
}

std::uint64_t readBytes(const LoadedModel& model, std::int64_t tokens) {
  const ModelShape& shape = model.shape;
  const std::int64_t ofToken = std::int64_t{2} * shape.kvHeads * shape.headDimension * shape.layers;
  return static_cast<std::uint64_t>(tokens * ofToken * (model.form == DenseForm::Float32 ? 4 : 2));
}

}  // namespace kvasir
