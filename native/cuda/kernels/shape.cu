// Elements are moved in units of 16, 4 or 2 bytes, the largest in which every address and every boundary can be counted.
#include "cuda/kernels/shape.h"

#include "cuda/kernel.h"
#include "cuda/kernels/flat.h"

namespace eraserelu::cuda {
namespace {

template <typename Unit>
__global__ void __launch_bounds__(blockSize) join_kernel(JoinedInputs inputs, Unit* y, std::int64_t rows, std::int64_t row) {
  const int input = static_cast<int>(blockIdx.y);
  const std::int64_t run = inputs.run[input], element = thread_number();
  if (element >= rows * run) return;
  const Unit* const from = static_cast<const Unit*>(inputs.data[input]);
  y[element / run * row + inputs.before[input] + element % run] = from[element / run * inputs.pitch[input] + element % run];
}

template <typename Unit>
__global__ void __launch_bounds__(blockSize)
    cut_kernel(Box box, const Unit* __restrict__ whole, Unit* __restrict__ part, std::int64_t elements) {
  const std::int64_t element = thread_number();
  if (element >= elements) return;
  std::int64_t rest = element, stride = 1, from = 0;
  for (int i = box.rank - 1; i > 0; --i) {
    from += (box.begin[i] + rest % box.part[i]) * stride;
    rest /= box.part[i];
    stride *= box.whole[i];
  }
  part[element] = whole[from + (box.begin[0] + rest) * stride];
}

template <typename Unit>
__global__ void __launch_bounds__(blockSize)
    cut_bwd_kernel(Box box, const Unit* __restrict__ part, Unit* __restrict__ whole, std::int64_t elements) {
  const std::int64_t element = thread_number();
  if (element >= elements) return;
  std::int64_t rest = element, stride = 1, from = 0;
  bool inside = true;
  for (int i = box.rank - 1; i >= 0; --i) {
    const std::int64_t index = (i > 0 ? rest % box.whole[i] : rest) - box.begin[i];
    inside = inside && index >= 0 && index < box.part[i];
    if (i > 0) rest /= box.whole[i];
    from += index * stride;
    stride *= box.part[i];
  }
  whole[element] = inside ? part[from] : Unit{};
}

template <typename T>
struct Unit {
  using type = T;
};

/// Calls body(Unit<T>{}) for the largest T that divides all of these numbers of bytes.
template <typename Body>
cudaError_t with_unit(std::uintptr_t bytes, const Body& body) {
  return bytes % 16 == 0 ? body(Unit<uint4>{}) : bytes % 4 == 0 ? body(Unit<std::uint32_t>{}) : body(Unit<std::uint16_t>{});
}

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

/// Calls body(box counted in units, Unit<T>{}).
template <typename Body>
cudaError_t with_box(const Box& box, std::size_t elementSize, const void* whole, const void* part, const Body& body) {
  const int last = box.rank - 1;
  const std::int64_t counts = box.whole[last] | box.part[last] | box.begin[last];
  // Powers of two divide each of several numbers where they divide all of them joined by |.
  return with_unit(address(whole) | address(part) | static_cast<std::uintptr_t>(counts) * elementSize, [&](auto unit) {
    const auto perUnit = static_cast<std::int64_t>(sizeof(typename decltype(unit)::type) / elementSize);
    Box inUnits = box;
    for (std::int64_t* extents : {inUnits.whole, inUnits.part, inUnits.begin}) extents[last] /= perUnit;
    return body(inUnits, unit);
  });
}

std::int64_t product(const std::int64_t* extents, int rank) {
  std::int64_t result = 1;
  for (int i = 0; i < rank; ++i) result *= extents[i];
  return result;
}

}  // namespace

cudaError_t join(const JoinedInputs& inputs, std::size_t elementSize, void* y, std::int64_t rows, std::int64_t row,
                 cudaStream_t stream) {
  std::uintptr_t bits = address(y) | static_cast<std::uintptr_t>(row) * elementSize;
  std::int64_t longest = 0;
  for (int i = 0; i < inputs.count; ++i) {
    bits |= address(inputs.data[i]) | static_cast<std::uintptr_t>(inputs.run[i] | inputs.pitch[i] | inputs.before[i]) * elementSize;
    longest = std::max(longest, inputs.run[i]);
  }
  return with_unit(bits, [&](auto unit) {
    using T = typename decltype(unit)::type;
    const auto perUnit = static_cast<std::int64_t>(sizeof(T) / elementSize);
    JoinedInputs inUnits = inputs;
    for (std::int64_t* counts : {inUnits.run, inUnits.pitch, inUnits.before})
      for (int i = 0; i < inputs.count; ++i) counts[i] /= perUnit;
    dim3 grid = grid_for(rows * longest / perUnit);
    grid.y = static_cast<unsigned>(inputs.count);
    return launch(join_kernel<T>, grid, dim3(blockSize), 0, stream, inUnits, static_cast<T*>(y), rows, row / perUnit);
  });
}

cudaError_t cut(const Box& box, std::size_t elementSize, const void* whole, void* part, cudaStream_t stream) {
  return with_box(box, elementSize, whole, part, [&](const Box& inUnits, auto unit) {
    using T = typename decltype(unit)::type;
    const std::int64_t elements = product(inUnits.part, inUnits.rank);
    return launch(cut_kernel<T>, grid_for(elements), dim3(blockSize), 0, stream, inUnits, static_cast<const T*>(whole),
                  static_cast<T*>(part), elements);
  });
}

cudaError_t cut_bwd(const Box& box, std::size_t elementSize, const void* part, void* whole, cudaStream_t stream) {
  return with_box(box, elementSize, whole, part, [&](const Box& inUnits, auto unit) {
    using T = typename decltype(unit)::type;
    const std::int64_t elements = product(inUnits.whole, inUnits.rank);
    return launch(cut_bwd_kernel<T>, grid_for(elements), dim3(blockSize), 0, stream, inUnits, static_cast<const T*>(part),
                  static_cast<T*>(whole), elements);
  });
}

}  // namespace eraserelu::cuda
