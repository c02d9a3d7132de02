#pragma once

#include <cstdint>

#include "kernels/attend.h"
#include "kernels/attend_block.h"
#include "kernels/attend_packed.h"
#include "kernels/block_products.h"
#include "kernels/chunk_scores.h"
#include "kernels/dense.h"
#include "kernels/level_groups.h"
#include "kernels/products.h"
#include "kernels/received.h"
#include "kernels/rotate.h"
#include "kernels/rounding.h"
#include "kernels/rows.h"

/// The kernels on a CUDA device, inside the library kvasir_kernels_cuda, which is built with KVASIR_CUDA; the
/// program reaches them through kernels/backend.h. They launch the definitions in the argument structs, whose
/// pointers are then the device's memory, for rows [0, rows).
/// `stream` is a cudaStream_t; null is the default one. A call returns before the work is done, and throws
/// std::runtime_error when the device refuses it.
///
/// Compiled, and not yet run on a device: `kvasir-cli devices --check` runs them where there is one.
namespace kvasir {

void expandRowsOnDevice(const PanelMatrix& matrix, std::int64_t rows, float* out, void* stream);
void expandRowsOnDevice(const PanelMatrix& matrix, std::int64_t rows, std::uint16_t* out, void* stream);
void multiplyExactlyOnDevice(const ExactProduct& product, void* stream);

void roundRowsOnDevice(const RowRounding<float>& rounding, std::int64_t rows, void* stream);
void roundRowsOnDevice(const RowRounding<std::uint16_t>& rounding, std::int64_t rows, void* stream);
void multiplyPanelsOnDevice(const PanelProduct<float>& product, void* stream);
void multiplyPanelsOnDevice(const PanelProduct<std::uint16_t>& product, void* stream);

void roundBlocksOnDevice(const BlockRounding<float>& rounding, std::int64_t rows, void* stream);
void roundBlocksOnDevice(const BlockRounding<std::uint16_t>& rounding, std::int64_t rows, void* stream);
void multiplyBlocksOnDevice(const BlockProduct<float>& product, void* stream);
void multiplyBlocksOnDevice(const BlockProduct<std::uint16_t>& product, void* stream);

void multiplyDenseOnDevice(const DenseProduct<float>& product, void* stream);
void multiplyDenseOnDevice(const DenseProduct<std::uint16_t>& product, void* stream);
void multiplyVectorOnDevice(const VectorProduct<float>& product, void* stream);
void multiplyVectorOnDevice(const VectorProduct<std::uint16_t>& product, void* stream);

void normalizeRowsOnDevice(const RowNorm<float>& norm, std::int64_t rows, void* stream);
void normalizeRowsOnDevice(const RowNorm<std::uint16_t>& norm, std::int64_t rows, void* stream);
void gateRowsOnDevice(const RowGate<float>& gate, std::int64_t rows, void* stream);
void gateRowsOnDevice(const RowGate<std::uint16_t>& gate, std::int64_t rows, void* stream);

void rotateRowsOnDevice(const Rotation<float>& rotation, void* stream);
void rotateRowsOnDevice(const Rotation<std::uint16_t>& rotation, void* stream);

void packLevelsOnDevice(const LevelPacking<float>& packing, void* stream);
void packLevelsOnDevice(const LevelPacking<std::uint16_t>& packing, void* stream);
void unpackLevelsOnDevice(const LevelUnpacking<float>& unpacking, void* stream);
void unpackLevelsOnDevice(const LevelUnpacking<std::uint16_t>& unpacking, void* stream);

void scoreChunksOnDevice(const ChunkScores& scores, std::int64_t chunks, void* stream);

void attendTokenOnDevice(const TokenAttention<float>& attention, void* stream);
void attendTokenOnDevice(const TokenAttention<std::uint16_t>& attention, void* stream);

void attendPackedOnDevice(const PackedAttention& attention, void* stream);

void attendRowsOnDevice(const BlockAttention<float>& attention, std::int64_t rows, void* stream);
void attendRowsOnDevice(const BlockAttention<std::uint16_t>& attention, std::int64_t rows, void* stream);

void receiveAttentionOnDevice(const ReceivedAttention<float>& attention, void* stream);
void receiveAttentionOnDevice(const ReceivedAttention<std::uint16_t>& attention, void* stream);

}  // namespace kvasir
