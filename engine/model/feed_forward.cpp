#include "engine/model/feed_forward.h"

#include "kernels/rows.h"

namespace kvasir {
namespace {

template <class Value>
RowGate<Value> gateOf(const std::byte* in, std::byte* out, std::int64_t width, Activation activation) {
  using Kind = typename RowGate<Value>::Activation;
  return {reinterpret_cast<const Value*>(in), reinterpret_cast<Value*>(out), static_cast<int>(width),
          activation == Activation::Silu ? Kind::Silu : Kind::GeluTanh};
}

template <class Value>
void gateAll(const at::Tensor& in, at::Tensor& out, Activation activation) {
  const RowGate<Value> gate =
      gateOf<Value>(static_cast<const std::byte*>(in.const_data_ptr()),
                    static_cast<std::byte*>(out.mutable_data_ptr()), out.size(1), activation);
  at::parallel_for(0, out.size(0), 16,
                   [&](std::int64_t begin, std::int64_t end) { gateRows(gate, begin, end); });
}

/// The device that can do all of it; null: none can.
Accelerator* deviceOf(const LayerWeights& weights, DenseForm form) {
  Accelerator* device = weights.gateUp.device(form);
  const bool isOne = device && device == weights.down.device(form);
  return isOne && device->kernels().gateRows.isWhole() ? device : nullptr;
}

/// Throws DeviceFull.
template <class Value>
at::Tensor feedOn(Accelerator& device, const LayerWeights& weights, const at::Tensor& normed,
                  Activation activation) {
  using Room = Accelerator::Room;
  const at::Tensor in = normed.contiguous(), out = at::empty_like(in);
  const std::int64_t width = weights.down.columns();
  const auto feed = [&](const Slab& slab) {
    const std::size_t bytes = static_cast<std::size_t>(slab.count * width) * sizeof(Value);
    std::byte *gateUp = device.room(Room::Hidden, 2 * bytes, slab.turn),
              *gated = device.room(Room::Gated, bytes, slab.turn);
    weights.gateUp.multiplyOnDevice({slab.x, gateUp, slab.count, slab.turn});
    device.run(device.kernels().gateRows.of<Value>(), gateOf<Value>(gateUp, gated, width, activation),
               slab.count, device.stream(slab.turn));
    weights.down.multiplyOnDevice({gated, slab.y, slab.count, slab.turn});
  };
  forSlabs(device, {in.const_data_ptr(), in.nbytes(), out.mutable_data_ptr(), out.nbytes(), in.size(0)}, feed);
  return out;
}

}  // namespace

at::Tensor feedForward(const LayerWeights& weights, const at::Tensor& normed, Activation activation,
                       DenseForm form) {
  if (Accelerator* device = deviceOf(weights, form)) {
    try {
      return form == DenseForm::Float32 ? feedOn<float>(*device, weights, normed, activation)
                                        : feedOn<std::uint16_t>(*device, weights, normed, activation);
    } catch (const DeviceFull&) {
      // No room for what lies between the products.
    }
  }
  const at::Tensor gateUp = weights.gateUp.multiply(normed, form);
  at::Tensor gated = at::empty({gateUp.size(0), gateUp.size(1) / 2}, gateUp.options());
  if (form == DenseForm::Float32)
    gateAll<float>(gateUp, gated, activation);
  else
    gateAll<std::uint16_t>(gateUp, gated, activation);
  return weights.down.multiply(gated, form);
}

}  // namespace kvasir
