#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

struct ScoreChunk {
  ChunkScores scores;
  __device__ void operator()(std::int64_t chunk, int lane) const {
    const float product = sumWarp(scores.product(chunk, lane, kWarp));
    if (lane == 0) scores.scores[chunk] = scores.withHeld(chunk, product);
  }
};

}  // namespace

void scoreChunksOnDevice(const ChunkScores& scores, std::int64_t chunks, void* stream) {
  launchWarps("scoreChunks", ScoreChunk{scores}, chunks, stream);
}

}  // namespace kvasir
