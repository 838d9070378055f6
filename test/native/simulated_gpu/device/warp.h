// The warp primitives as CUDA names them.
#pragma once

#include "block.h"

namespace simulated_gpu {

template <typename T>
T shuffle(const Site& site, unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= 16, "a shuffle moves at most 16 bytes");
  meet_warp(site, mask, &value, sizeof value, source, false, false);
  return value;
}

/// Lane `lane` of those segments of `width` lanes into which shuffles divide a warp; the own lane if that is in another segment.
inline int within(int lane, int width) {
  const int own = static_cast<int>(thread->lane);
  return lane >= 0 && lane / width == own / width ? lane : own;
}

template <typename T>
T shuffle_from(const Site& site, unsigned mask, T value, int lane, int width = 32) {
  const int own = static_cast<int>(thread->lane);
  return shuffle(site, mask, value, own / width * width + lane % width);
}

template <typename T>
T shuffle_up(const Site& site, unsigned mask, T value, unsigned delta, int width = 32) {
  return shuffle(site, mask, value, within(static_cast<int>(thread->lane) - static_cast<int>(delta), width));
}

template <typename T>
T shuffle_down(const Site& site, unsigned mask, T value, unsigned delta, int width = 32) {
  return shuffle(site, mask, value, within(static_cast<int>(thread->lane + delta), width));
}

template <typename T>
T shuffle_xor(const Site& site, unsigned mask, T value, int bits, int width = 32) {
  return shuffle(site, mask, value, within(static_cast<int>(thread->lane) ^ bits, width));
}

inline unsigned ballot(const Site& site, unsigned mask, bool vote) {
  return meet_warp(site, mask, nullptr, 0, noLane, vote, false);
}

inline void sync_warp(const Site& site, unsigned mask = ~0U) { meet_warp(site, mask, nullptr, 0, noLane, false, true); }

}  // namespace simulated_gpu

// A different address in each place of the source, even for two on one line.
#define SIM_SITE                                                   \
  ([]() -> const ::simulated_gpu::Site& {                          \
    static constexpr ::simulated_gpu::Site site{__FILE__, __LINE__}; \
    return site;                                                   \
  }())

#define __syncthreads() ::simulated_gpu::sync_block(SIM_SITE)
#define __syncwarp(...) ::simulated_gpu::sync_warp(SIM_SITE __VA_OPT__(, ) __VA_ARGS__)
#define __shfl_sync(...) ::simulated_gpu::shuffle_from(SIM_SITE, __VA_ARGS__)
#define __shfl_up_sync(...) ::simulated_gpu::shuffle_up(SIM_SITE, __VA_ARGS__)
#define __shfl_down_sync(...) ::simulated_gpu::shuffle_down(SIM_SITE, __VA_ARGS__)
#define __shfl_xor_sync(...) ::simulated_gpu::shuffle_xor(SIM_SITE, __VA_ARGS__)
#define __ballot_sync(mask, vote) ::simulated_gpu::ballot(SIM_SITE, mask, vote)
#define __any_sync(mask, vote) (__ballot_sync(mask, vote) != 0)
