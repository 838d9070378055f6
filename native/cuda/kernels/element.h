// The element types of tensors on the device (float, __nv_bfloat16, __half): conversion, packs, choice by DType.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "base/tensor_desc.h"
#include "cuda/kernel.h"

namespace eraserelu::cuda {

__host__ __device__ __forceinline__ float to_float(float x) { return x; }
__host__ __device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__host__ __device__ __forceinline__ float to_float(__half x) { return __half2float(x); }

/// Rounds to nearest even.
template <typename T>
__host__ __device__ __forceinline__ T from_float(float x);
template <>
__host__ __device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__host__ __device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__host__ __device__ __forceinline__ __half from_float<__half>(float x) {
  return __float2half_rn(x);
}

/// The word in which memory of this many bytes is moved.
template <int bytes>
struct Word {
  using type = uint4;
  static_assert(bytes % 16 == 0, "a pack has 1, 2, 4, 8 or a multiple of 16 bytes");
};
template <>
struct Word<8> {
  using type = uint2;
};
template <>
struct Word<4> {
  using type = std::uint32_t;
};
template <>
struct Word<2> {
  using type = std::uint16_t;
};
template <>
struct Word<1> {
  using type = std::uint8_t;
};

template <typename Raw>
__device__ __forceinline__ Raw load_word(const Raw* from) {
  return *from;
}
template <typename Raw>
__device__ __forceinline__ void store_word(Raw* to, Raw value) {
  *to = value;
}
/// Without these intrinsics the compiler may take a vector apart and move its elements one by one or in halves: `npm run check:kernels`.
__device__ __forceinline__ uint4 load_word(const uint4* from) { return __ldca(from); }
__device__ __forceinline__ void store_word(uint4* to, uint4 value) { __stwb(to, value); }

/// `width` neighbouring elements, moved at once, or 16 bytes at a time. The address is a multiple of the bytes moved at once.
template <typename T, int width>
struct Pack {
  static constexpr int bytes = width * static_cast<int>(sizeof(T));
  using Raw = typename Word<bytes>::type;
  static constexpr int words = bytes / static_cast<int>(sizeof(Raw));

  T values[width];

  __device__ __forceinline__ static Pack load(const T* from) {
    Pack pack;
    Raw raw[words];
    for (int i = 0; i < words; ++i) raw[i] = load_word(reinterpret_cast<const Raw*>(from) + i);
    memcpy(pack.values, raw, sizeof raw);
    return pack;
  }

  /// One by one: the first `count` elements at any address, the others 0.
  __device__ __forceinline__ static Pack load_some(const T* from, int count) {
    Pack pack;
    for (int i = 0; i < width; ++i) pack.values[i] = i < count ? from[i] : from_float<T>(0.0f);
    return pack;
  }

  __device__ __forceinline__ void store_some(T* to, int count) const {
    for (int i = 0; i < width; ++i)
      if (i < count) to[i] = values[i];
  }

  __device__ __forceinline__ void store(T* to) const {
    Raw raw[words];
    memcpy(raw, values, sizeof raw);
    for (int i = 0; i < words; ++i) store_word(reinterpret_cast<Raw*>(to) + i, raw[i]);
  }
};

template <typename T>
struct Type {
  using type = T;
};

/// Calls body(Type<T>{}) for the T of a floating-point dtype.
template <typename Body>
auto with_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32: return body(Type<float>{});
    case DType::bf16: return body(Type<__nv_bfloat16>{});
    case DType::f16: return body(Type<__half>{});
    default: fail(ErrorCode::Internal, "no kernel for tensors of type ", name_of(dtype));
  }
}

}  // namespace eraserelu::cuda
