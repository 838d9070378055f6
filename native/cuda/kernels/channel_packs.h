// What batch norm's kernels take for a thread's channels: a pack of 16-byte vectors or one element; where there is a mask, the 8
// channels of one of its bytes, so that no two threads write a byte. The last byte of a pixel may hold fewer.
#pragma once

#include "base/mask.h"
#include "cuda/kernels/rows.h"

namespace eraserelu::cuda {

/// `width` channels; not `whole`: some of the last thread's may be missing, and addresses fit no vector.
template <typename T_, int width_, bool masked_, bool whole_>
struct Channels {
  using T = T_;
  static constexpr int width = width_;
  static constexpr bool masked = masked_, whole = whole_;

  __device__ __forceinline__ static int count(std::int64_t channels, int c) {
    const std::int64_t rest = channels - c;
    return whole || rest > width ? width : static_cast<int>(rest);
  }
  __device__ __forceinline__ static Pack<T, width> load(const void* from, std::int64_t at, int count) {
    const T* const address = static_cast<const T*>(from) + at;
    if constexpr (whole) return Pack<T, width>::load(address);
    else return Pack<T, width>::load_some(address, count);
  }
  __device__ __forceinline__ static void store(const Pack<T, width>& pack, void* to, std::int64_t at, int count) {
    T* const address = static_cast<T*>(to) + at;
    if constexpr (whole) pack.store(address);
    else pack.store_some(address, count);
  }
  /// The byte with the thread's channels, from c on, of a row's mask.
  __device__ __forceinline__ static std::int64_t mask_at(std::int64_t row, std::int64_t channels, int c) {
    return row * mask_bytes(channels) + c / 8;
  }
};

/// Calls body(Channels<…>{}) with what fits the dtype, the number of channels (joined by | with a pitch where a tensor has one) and
/// the addresses.
template <typename Body, typename... Pointers>
cudaError_t with_channels(DType dtype, std::int64_t channels, const void* mask, const Body& body, const Pointers*... pointers) {
  if (!mask)
    return with_packs(
        dtype, channels,
        [&](auto type, auto width) {
          return body(Channels<typename decltype(type)::type, decltype(width)::value, false, true>{});
        },
        pointers...);
  return with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    return channels % 8 == 0 && aligned_to_vectors(pointers...) ? body(Channels<T, 8, true, true>{})
                                                                : body(Channels<T, 8, true, false>{});
  });
}

}  // namespace eraserelu::cuda
