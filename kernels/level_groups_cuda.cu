#include "kernels/cuda.h"
#include "kernels/launch.cuh"

namespace kvasir {
namespace {

template <class Value>
struct PackGroup {
  LevelPacking<Value> packing;
  __device__ void operator()(std::int64_t i) const {
    const int lanes = packing.groups.lanes, bands = packing.groups.bands();
    const std::int64_t band = i / lanes;
    packing.packGroup(band / bands, static_cast<int>(band % bands), static_cast<int>(i % lanes));
  }
};

template <class Value>
struct UnpackByte {
  LevelUnpacking<Value> unpacking;
  __device__ void operator()(std::int64_t i) const {
    const int lanes = unpacking.groups.lanes, rows = unpacking.groups.rows(), bands = unpacking.groups.bands();
    const std::int64_t row = i / lanes, band = row / rows;
    unpacking.unpackByte(band / bands, static_cast<int>(band % bands), static_cast<int>(row % rows),
                         static_cast<int>(i % lanes));
  }
};

template <class Value>
void pack(const LevelPacking<Value>& packing, void* stream) {
  const LevelGroups& groups = packing.groups;
  launchEach("packLevels", PackGroup<Value>{packing}, groups.sheets * groups.bands() * groups.lanes, stream);
}

template <class Value>
void unpack(const LevelUnpacking<Value>& unpacking, void* stream) {
  const LevelGroups& groups = unpacking.groups;
  launchEach("unpackLevels", UnpackByte<Value>{unpacking},
             groups.sheets * groups.bands() * groups.rows() * groups.lanes, stream);
}

}  // namespace

void packLevelsOnDevice(const LevelPacking<float>& packing, void* stream) { pack(packing, stream); }
void packLevelsOnDevice(const LevelPacking<std::uint16_t>& packing, void* stream) { pack(packing, stream); }
void unpackLevelsOnDevice(const LevelUnpacking<float>& unpacking, void* stream) { unpack(unpacking, stream); }
void unpackLevelsOnDevice(const LevelUnpacking<std::uint16_t>& unpacking, void* stream) {
  unpack(unpacking, stream);
}

}  // namespace kvasir
