#include "engine/model/dequantize_blocks.h"

#include "engine/model/dequantize.h"

namespace kvasir {
namespace {

/// Bytes of a block as small unsigned numbers.
class Fields {
 public:
  explicit Fields(const std::byte* block) : block_(block) {}
  int operator[](int index) const { return std::to_integer<int>(block_[index]); }
  float half(int index) const {
    return halfToFloat(static_cast<std::uint16_t>((*this)[index] | (*this)[index + 1] << 8));
  }
  Fields from(int index) const { return Fields(block_ + index); }

 private:
  const std::byte* block_;
};

/// 32 nibbles in 16 bytes: the low halves come first, then the high ones.
int nibble(Fields packed, int i) { return i < 16 ? packed[i] & 15 : packed[i - 16] >> 4; }

int bit(Fields bits, int i) { return (bits[i / 8] >> (i % 8)) & 1; }

void nibbleLevels(Fields packed, int zero, std::int8_t* levels) {
  for (int i = 0; i < 32; ++i) levels[i] = static_cast<std::int8_t>(nibble(packed, i) - zero);
}

/// Nibbles with a fifth bit from a mask of 32 bits.
void fiveBitLevels(Fields fifth, Fields packed, int zero, std::int8_t* levels) {
  for (int i = 0; i < 32; ++i)
    levels[i] = static_cast<std::int8_t>((nibble(packed, i) | bit(fifth, i) << 4) - zero);
}

struct ScaleAndMinimum {
  int scale, minimum;
};

/// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima into 12 bytes: the first four of each in the
/// low six bits of bytes 0-3 and 4-7; of the others the low four bits in the halves of bytes 8-11 and the top
/// two bits in what is left of bytes 0-7.
ScaleAndMinimum sixBitPair(Fields packed, int group) {
  if (group < 4) return {packed[group] & 63, packed[group + 4] & 63};
  const int low = packed[group + 4];
  return {(low & 15) | packed[group - 4] >> 6 << 4, low >> 4 | packed[group] >> 6 << 4};
}

void sixBitScales(Fields block, float* scales, float* offsets) {
  const float scale = block.half(0), minimum = block.half(2);
  for (int group = 0; group < 8; ++group) {
    const ScaleAndMinimum pair = sixBitPair(block.from(4), group);
    scales[group] = scale * static_cast<float>(pair.scale);
    offsets[group] = -(minimum * static_cast<float>(pair.minimum));
  }
}

/// Q4_K and Q5_K: each 64 values share 32 bytes, the first 32 in the low nibbles.
int superNibble(Fields packed, int i) { return packed[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15; }

/// Q2_K and Q3_K: each 128 values share 32 bytes, 32 values for each pair of bits.
int superPair(Fields packed, int i) { return packed[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3; }

/// Q3_K packs sixteen 6-bit scales into 12 bytes: low four bits in the halves of bytes 0-7, top two in bytes
/// 8-11.
int q3Scale(Fields packed, int group) {
  const int low = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
  const int top = packed[8 + group % 4] >> (group / 4 * 2) & 3;
  return (low | top << 4) - 32;
}

int signedByte(int value) { return value < 128 ? value : value - 256; }

}  // namespace

void decodeQ4_0(const std::byte* block, std::int8_t* levels, float* scales, float*) {
  const Fields fields(block);
  scales[0] = fields.half(0);
  nibbleLevels(fields.from(2), 8, levels);
}

void decodeQ4_1(const std::byte* block, std::int8_t* levels, float* scales, float* offsets) {
  const Fields fields(block);
  scales[0] = fields.half(0);
  offsets[0] = fields.half(2);
  nibbleLevels(fields.from(4), 0, levels);
}

void decodeQ5_0(const std::byte* block, std::int8_t* levels, float* scales, float*) {
  const Fields fields(block);
  scales[0] = fields.half(0);
  fiveBitLevels(fields.from(2), fields.from(6), 16, levels);
}

void decodeQ5_1(const std::byte* block, std::int8_t* levels, float* scales, float* offsets) {
  const Fields fields(block);
  scales[0] = fields.half(0);
  offsets[0] = fields.half(2);
  fiveBitLevels(fields.from(4), fields.from(8), 0, levels);
}

void decodeQ8_0(const std::byte* block, std::int8_t* levels, float* scales, float*) {
  const Fields fields(block);
  scales[0] = fields.half(0);
  for (int i = 0; i < 32; ++i) levels[i] = static_cast<std::int8_t>(signedByte(fields[2 + i]));
}

void decodeQ2_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets) {
  const Fields fields(block);
  const float scale = fields.half(80), minimum = fields.half(82);
  for (int group = 0; group < 16; ++group) {
    scales[group] = scale * static_cast<float>(fields[group] & 15);
    offsets[group] = -(minimum * static_cast<float>(fields[group] >> 4));
  }
  for (int i = 0; i < 256; ++i) levels[i] = static_cast<std::int8_t>(superPair(fields.from(16), i));
}

void decodeQ3_K(const std::byte* block, std::int8_t* levels, float* scales, float*) {
  const Fields high(block), low = high.from(32), packedScales = high.from(96);
  const float scale = high.half(108);
  for (int group = 0; group < 16; ++group)
    scales[group] = scale * static_cast<float>(q3Scale(packedScales, group));
  for (int i = 0; i < 256; ++i) {
    const int third = high[i % 32] >> (i / 32) & 1;  // set: nothing is taken off
    levels[i] = static_cast<std::int8_t>(superPair(low, i) - (third != 0 ? 0 : 4));
  }
}

void decodeQ4_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets) {
  const Fields fields(block);
  sixBitScales(fields, scales, offsets);
  for (int i = 0; i < 256; ++i) levels[i] = static_cast<std::int8_t>(superNibble(fields.from(16), i));
}

void decodeQ5_K(const std::byte* block, std::int8_t* levels, float* scales, float* offsets) {
  const Fields fields(block), fifth = fields.from(16);
  sixBitScales(fields, scales, offsets);
  for (int i = 0; i < 256; ++i) {
    const int high = fifth[i % 32] >> (i / 32) & 1;
    levels[i] = static_cast<std::int8_t>(superNibble(fields.from(48), i) | high << 4);
  }
}

void decodeQ6_K(const std::byte* block, std::int8_t* levels, float* scales, float*) {
  const Fields low(block), high = low.from(128), packedScales = low.from(192);
  const float scale = low.half(208);
  for (int group = 0; group < 16; ++group) {
    scales[group] = scale * static_cast<float>(signedByte(packedScales[group]));
  }
  // Each 128 values share 64 bytes of low nibbles and 32 bytes of top pairs.
  for (int i = 0; i < 256; ++i) {
    const int nibbles = low[i / 128 * 64 + i % 64] >> (i / 64 % 2 * 4) & 15;
    const int top = high[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    levels[i] = static_cast<std::int8_t>((nibbles | top << 4) - 32);
  }
}

}  // namespace kvasir
