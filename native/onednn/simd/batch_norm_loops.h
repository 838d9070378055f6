// Batch norm: statistics, application and both backward passes over one stretch of rows.
#pragma once

#include "onednn/simd/isa.h"
#include "onednn/simd/lanes.h"
#include "onednn/simd/loops.h"
#include "onednn/simd/mask_bits.h"

namespace eraserelu {
namespace {

/// lanes[c] = Σ over the period of lanes[c + k·channels].
void fold(float* lanes, std::int64_t channels, std::int64_t period) {
  for (std::int64_t base = channels; base < period; base += channels)
    for (std::int64_t c = 0; c < channels; ++c) lanes[c] += lanes[base + c];
}

void tile(float* lanes, std::int64_t channels, std::int64_t period) {
  for (std::int64_t j = channels; j < period; ++j) lanes[j] = lanes[j - channels];
}

void clear(float* lanes, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) lanes[j] = 0;
}

constexpr std::int64_t kFetchedAhead = 512;   // elements
constexpr std::int64_t kNarrow = 96;          // channels
constexpr std::int64_t kLine = 64;            // bytes

/// Fetches a pixel some pixels ahead of x: processors do not foresee narrow pixels that do not lie together. Always inline, for GCC takes
/// a function that only fetches for one that does nothing.
template <typename T>
ERASERELU_INLINE inline void fetch_ahead(const T* x, std::int64_t channels, std::int64_t pitch) {
  if (channels > kNarrow) return;
  const T* const pixel = x + smaller(kFetchedAhead / channels + 1, 16) * pitch;
  for (std::int64_t c = 0; c < channels; c += kLine / static_cast<std::int64_t>(sizeof(T))) __builtin_prefetch(pixel + c);
}

/// Calls body(x, base, lane, size) for stretches of n elements that lie together in a tensor x with a pitch: `x` and `base`, the number of
/// its first element, are where a stretch begins, `lane` is the place of the tiled vectors that goes with it. `by_pixel`: another tensor
/// has a pitch.
template <typename T, typename Body>
void each_run(const T* x, std::int64_t n, std::int64_t channels, std::int64_t pitch, std::int64_t period, const Body& body,
              bool by_pixel = false) {
  if (pitch == channels && !by_pixel) {
    for (std::int64_t base = 0; base < n; base += period) body(x + base, base, 0, smaller(period, n - base));
    return;
  }
  for (std::int64_t base = 0; base < n; base += channels, x += pitch) {
    fetch_ahead(x, channels, pitch);
    body(x, base, base % period, channels);
  }
}

template <typename T>
void pitched_channel_sums(const T* x, std::int64_t n, std::int64_t channels, std::int64_t pitch, std::int64_t period,
                          float* lanes, float* sums) {
  clear(lanes, period);
  each_run(x, n, channels, pitch, period, [=](const T* run, std::int64_t, std::int64_t lane, std::int64_t size) {
    float* const sum = lanes + lane;
    ERASERELU_INDEPENDENT
    for (std::int64_t j = 0; j < size; ++j) sum[j] += run[j];
  });
  fold(lanes, channels, period);
  for (std::int64_t c = 0; c < channels; ++c) sums[c] = lanes[c];
}

template <typename T>
void channel_sums(const T* x, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes, float* sums) {
  pitched_channel_sums(x, n, channels, channels, period, lanes, sums);
}

constexpr std::int64_t kRunsTogether = 8;   // so many times less are sums read and written than elements

/// Calls body(x, base, lane, size, runs) for runs of `size` elements that lie together in a tensor x with a pitch, several that go with
/// the same place `lane` of the tiled vectors at a time: each begins a period behind the other, in x `step_of` elements. `base` is the
/// number of the first one's first element. A run is a period where x is dense, else a pixel.
template <typename T, typename Body>
void each_group(const T* x, std::int64_t n, std::int64_t channels, std::int64_t pitch, std::int64_t period, const Body& body) {
  const std::int64_t size = pitch == channels ? period : channels;
  for (std::int64_t base = 0; base < n;) {
    const std::int64_t whole = smaller(kRunsTogether, (n - base) / period), runs = whole ? whole : 1;
    const std::int64_t end = whole ? period : n - base;
    for (std::int64_t lane = 0; lane < end; lane += size)
      body(x + (base + lane) / channels * pitch, base + lane, lane, smaller(size, end - lane), runs);
    base += runs * end;
  }
}

inline std::int64_t step_of(std::int64_t channels, std::int64_t pitch, std::int64_t period) { return period / channels * pitch; }

/// Sums of (x-K) and (x-K)² with K the mean of the first period: the error of the variance is then at most
/// n/period times that of the exact two-pass formula, whatever the mean.
template <typename T>
void bn_stats(const T* x, std::int64_t n, std::int64_t channels, std::int64_t pitch, std::int64_t period, float* lanes,
              float* out) {
  float* const center = lanes;
  float* const sum = lanes + period;
  float* const squares = lanes + 2 * period;
  const std::int64_t head = smaller(period, n), step = step_of(channels, pitch, period);
  each_vector(channels, [=](std::int64_t c, auto vector) {
    Lanes total = {};
    for (std::int64_t row = 0; row < head / channels; ++row) total += vector.load(x + row * pitch + c);
    vector.store(center + c, total * (static_cast<float>(channels) / static_cast<float>(head)));
  });
  tile(center, channels, period);
  clear(sum, 2 * period);
  each_group(x, n, channels, pitch, period, [=](const T* first, std::int64_t, std::int64_t lane, std::int64_t size,
                                                std::int64_t runs) {
    each_vector(size, [=](std::int64_t j, auto vector) {
      const Lanes k = vector.load(center + lane + j);
      Lanes total = vector.load(sum + lane + j), squared = vector.load(squares + lane + j);
      const T* run = first + j;
      for (std::int64_t i = 0; i < runs; ++i, run += step) {
        __builtin_prefetch(run + runs * step);
        const Lanes d = vector.load(run) - k;
        total += d;
        squared = fused(d, d, squared);
      }
      vector.store(sum + lane + j, total);
      vector.store(squares + lane + j, squared);
    });
  });
  fold(sum, channels, period);
  fold(squares, channels, period);
  const float rows = static_cast<float>(n / channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    const float rest = squares[c] - sum[c] * sum[c] / rows;
    out[c] = center[c];
    out[channels + c] = sum[c] / rows;
    out[2 * channels + c] = rest < 0 ? 0 : rest;
  }
}

/// The mask comes from y while it is in the first-level cache: with relu too, y > 0 where the value before it is.
template <typename T, bool kResidual, bool kRelu>
void bn_apply_as(const BnApply<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period) {
  std::uint8_t* mask = a.mask;
  each_run(a.x, n, channels, a.pitch, period, [&a, &mask, channels](const T* x, std::int64_t base, std::int64_t lane,
                                                                    std::int64_t size) {
    const float* const scale = a.scale + lane;
    const float* const shift = a.shift + lane;
    const T* const residual = kResidual ? a.residual + base : nullptr;
    T* const y = a.y + base;
    each_vector(size, [=](std::int64_t j, auto vector) {
      Lanes value = fused(vector.load(x + j), vector.load(scale + j), vector.load(shift + j));
      if (kResidual) value += vector.load(residual + j);
      if (kRelu) value = value <= 0 ? Lanes{} : value;
      vector.store(y + j, value);
    });
    if (mask) mask = write_mask(y, size, channels, mask);
  });
}

template <typename T>
void bn_apply(const BnApply<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period) {
  const auto with = a.relu ? bn_apply_as<T, true, true> : bn_apply_as<T, true, false>;
  const auto without = a.relu ? bn_apply_as<T, false, true> : bn_apply_as<T, false, false>;
  (a.residual ? with : without)(a, n, channels, period);
}

enum class Active { all, by_mask, by_sign };

/// Calls body(x, base, lane, from, to, active) for stretches [from, to) of runs as those of each_run. With a mask, `active` holds a byte for
/// every element from base + from.
template <Active kActive, typename T, typename Body>
void each_stretch(const BnBackward<T>& a, bool by_pixel, std::int64_t n, std::int64_t channels, std::int64_t period,
                  const Body& body) {
  if (kActive != Active::by_mask) {
    each_run(a.x, n, channels, a.pitch, period, [&body](const T* x, std::int64_t base, std::int64_t lane, std::int64_t size) {
      body(x, base, lane, 0, size, nullptr);
    }, by_pixel);
    return;
  }
  alignas(64) std::uint8_t active[kMaskBlock + 8];
  const std::uint8_t* mask = a.mask;
  if (period <= kMaskBlock && a.pitch == channels && !by_pixel) {
    const std::int64_t block = kMaskBlock / period * period;
    for (std::int64_t at = 0; at < n; at += block) {
      const std::int64_t end = smaller(at + block, n);
      mask = read_mask(mask, end - at, channels, active);
      for (std::int64_t base = at; base < end; base += period)
        body(a.x + base, base, 0, 0, smaller(period, end - base), active + (base - at));
    }
    return;
  }
  for (std::int64_t row = 0; row * channels < n; ++row) {
    for (std::int64_t from = 0; from < channels; from += kMaskBlock) {
      const std::int64_t to = smaller(from + kMaskBlock, channels), base = row * channels;
      mask = read_mask(mask, to - from, to - from, active);
      body(a.x + row * a.pitch, base, base % period, from, to, active);
    }
  }
}

template <Active kActive>
float active_gradient(float dy, std::uint8_t active, float x, float scale, float shift) {
  if (kActive == Active::by_mask) return active ? dy : 0;
  if (kActive == Active::by_sign) return fused(x, scale, shift) > 0 ? dy : 0;
  return dy;
}

/// The sums of bn_bwd_reduce of an x with a pitch, without a mask.
template <Active kActive, typename T>
void add_pitched(const BnBackward<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes) {
  const std::int64_t step = step_of(channels, a.pitch, period);
  each_group(a.x, n, channels, a.pitch, period, [=, &a](const T* first, std::int64_t base, std::int64_t lane, std::int64_t size,
                                                       std::int64_t runs) {
    each_vector(size, [=, &a](std::int64_t j, auto vector) {
      const std::int64_t at = lane + j;
      const Lanes scale = vector.load(a.scale + at), shift = vector.load(a.shift + at), mean = vector.load(a.mean + at);
      Lanes sum = vector.load(lanes + at), product = vector.load(lanes + period + at);
      const T *run = first + j, *dy = a.dy + base + j;
      for (std::int64_t i = 0; i < runs; ++i, run += step, dy += period) {
        __builtin_prefetch(run + runs * step);
        __builtin_prefetch(dy + runs * period);
        const Lanes x = vector.load(run);
        Lanes g = vector.load(dy);
        if (kActive == Active::by_sign) g = fused(x, scale, shift) > 0 ? g : Lanes{};
        sum += g;
        product = fused(g, x - mean, product);
      }
      vector.store(lanes + at, sum);
      vector.store(lanes + period + at, product);
    });
  });
}

/// The same of any: two dense tensors are read faster from end to end than from eight places each.
template <Active kActive, typename T>
void add_stretches(const BnBackward<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes) {
  each_stretch<kActive>(a, false, n, channels, period, [=](const T* x, std::int64_t base, std::int64_t lane, std::int64_t from,
                                                           std::int64_t to, const std::uint8_t* active) {
    const T* const dy = a.dy + base;
    const float* const scale = a.scale + lane;
    const float* const shift = a.shift + lane;
    const float* const mean = a.mean + lane;
    float* const g_lanes = lanes + lane;
    float* const gx_lanes = lanes + period + lane;
    ERASERELU_INDEPENDENT
    for (std::int64_t j = from; j < to; ++j) {
      const float g = active_gradient<kActive>(dy[j], active ? active[j - from] : 0, x[j], scale[j], shift[j]);
      g_lanes[j] += g;
      gx_lanes[j] = fused(g, x[j] - mean[j], gx_lanes[j]);
    }
  });
}

template <Active kActive, typename T>
void bn_bwd_reduce_as(const BnBackward<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes,
                      float* sum_g, float* sum_gx) {
  clear(lanes, 2 * period);
  if (kActive == Active::by_mask || a.pitch == channels) add_stretches<kActive>(a, n, channels, period, lanes);
  else add_pitched<kActive>(a, n, channels, period, lanes);
  fold(lanes, channels, period);
  fold(lanes + period, channels, period);
  for (std::int64_t c = 0; c < channels; ++c) {
    sum_g[c] = lanes[c];
    sum_gx[c] = lanes[period + c];
  }
}

template <typename T>
void bn_bwd_reduce(const BnBackward<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes, float* sum_g,
                   float* sum_gx) {
  const auto run = !a.relu ? bn_bwd_reduce_as<Active::all, T>
                   : a.mask ? bn_bwd_reduce_as<Active::by_mask, T> : bn_bwd_reduce_as<Active::by_sign, T>;
  run(a, n, channels, period, lanes, sum_g, sum_gx);
}

template <Active kActive, bool kResidual, bool kAdd, typename T>
void bn_bwd_apply_as(const BnBackward<T>& a, const BnInputGradient<T>& to, std::int64_t n, std::int64_t channels,
                     std::int64_t period) {
  const bool by_pixel = kAdd && (to.pitch != channels || to.addend_pitch != channels);
  each_stretch<kActive>(a, by_pixel, n, channels, period, [&a, &to, channels](const T* x, std::int64_t base, std::int64_t lane,
                                                                              std::int64_t from, std::int64_t end,
                                                                              const std::uint8_t* active) {
    const T* const dy = a.dy + base;
    const float* const scale = a.scale + lane;
    const float* const shift = a.shift + lane;
    const float* const mean = a.mean + lane;
    const float* const slopes = to.slope + lane;
    const float* const offsets = to.offset + lane;
    const std::int64_t pixel = kAdd ? base / channels : 0;
    const T* const addend = kAdd ? to.addend + pixel * to.addend_pitch : nullptr;
    T* const dx = kAdd ? to.dx + pixel * to.pitch : to.dx + base;
    T* const dresidual = kResidual ? to.dresidual + base : nullptr;
    if (kAdd) fetch_ahead(addend, channels, to.addend_pitch);
    ERASERELU_INDEPENDENT
    for (std::int64_t j = from; j < end; ++j) {
      const float g = active_gradient<kActive>(dy[j], active ? active[j - from] : 0, x[j], scale[j], shift[j]);
      if (kResidual) dresidual[j] = g;
      const float gradient = fused(scale[j], g, fused(slopes[j], x[j] - mean[j], offsets[j]));
      dx[j] = kAdd ? addend[j] + static_cast<float>(T(gradient)) : gradient;   // rounded as if it were written
    }
  });
}

template <Active kActive, typename T>
void bn_bwd_apply_to(const BnBackward<T>& a, const BnInputGradient<T>& to, std::int64_t n, std::int64_t channels,
                     std::int64_t period) {
  const auto run = to.addend ? bn_bwd_apply_as<kActive, false, true, T>
                   : to.dresidual ? bn_bwd_apply_as<kActive, true, false, T> : bn_bwd_apply_as<kActive, false, false, T>;
  run(a, to, n, channels, period);
}

template <typename T>
void bn_bwd_apply(const BnBackward<T>& a, const BnInputGradient<T>& to, std::int64_t n, std::int64_t channels,
                  std::int64_t period) {
  const auto run = !a.relu ? bn_bwd_apply_to<Active::all, T>
                   : a.mask ? bn_bwd_apply_to<Active::by_mask, T> : bn_bwd_apply_to<Active::by_sign, T>;
  run(a, to, n, channels, period);
}

}  // namespace
}  // namespace eraserelu
