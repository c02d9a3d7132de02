#pragma once

#include <cstdint>

#include "kernels/attend.h"
#include "kernels/matrix_vector.h"
#include "kernels/rotate.h"
#include "kernels/rows.h"

/// The kernels on a CUDA device: library kvasir_kernels_cuda, built with KVASIR_CUDA. They launch the
/// definitions in the argument structs, whose pointers are then the device's memory, for rows [0, rows).
/// `stream` is a cudaStream_t; null is the default one. A call returns before the work is done, and throws
/// std::runtime_error when the device refuses it.
///
/// Compiled, and not yet run on a device: tests/kernels/cuda_check runs them where there is one.
namespace kvasir {

void multiplyRowsOnDevice(const AffineProduct& product, std::int64_t rows, void* stream);
void sumBlocksOnDevice(const float* x, int columns, int blockSize, float* sums, void* stream);
void expandRowsOnDevice(const AffineProduct& product, std::int64_t rows, float* out, void* stream);
void expandRowsOnDevice(const AffineProduct& product, std::int64_t rows, std::uint16_t* out, void* stream);

void normalizeRowsOnDevice(const RowNorm<float>& norm, std::int64_t rows, void* stream);
void normalizeRowsOnDevice(const RowNorm<std::uint16_t>& norm, std::int64_t rows, void* stream);
void gateRowsOnDevice(const RowGate<float>& gate, std::int64_t rows, void* stream);
void gateRowsOnDevice(const RowGate<std::uint16_t>& gate, std::int64_t rows, void* stream);

void rotateRowsOnDevice(const Rotation<float>& rotation, void* stream);
void rotateRowsOnDevice(const Rotation<std::uint16_t>& rotation, void* stream);

void attendTokenOnDevice(const TokenAttention<float>& attention, void* stream);
void attendTokenOnDevice(const TokenAttention<std::uint16_t>& attention, void* stream);

}  // namespace kvasir
