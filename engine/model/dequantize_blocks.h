#pragma once

#include <cstddef>
#include <cstdint>

namespace kvasir {

// Each splits one block of the file into `levels` with, for each group of 32 (16 for Q2_K, Q3_K, Q6_K), a scale
// and, where the type has them, an offset. `offsets` is not touched by the types without.
void decodeQ4_0(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ4_1(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ5_0(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ5_1(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ8_0(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ2_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ3_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ4_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ5_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);
void decodeQ6_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets);

}  // namespace kvasir
