// Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a random number is a pure function
// of its position, so chunks, threads and devices give the same bits. src/runtime/philox.ts is the same in TypeScript.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace eraserelu {

struct Philox4 {
  std::uint32_t word[4];
};

ERASERELU_HD Philox4 philox4x32(std::uint32_t k0, std::uint32_t k1, Philox4 counter) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter.word[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter.word[2];
    counter = Philox4{{static_cast<std::uint32_t>(p1 >> 32) ^ counter.word[1] ^ k0, static_cast<std::uint32_t>(p1),
                       static_cast<std::uint32_t>(p0 >> 32) ^ counter.word[3] ^ k1, static_cast<std::uint32_t>(p0)}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// Four uniform numbers in [0,1) for elements 4·block … 4·block+3 of the operation `op_id` in step `step`.
ERASERELU_HD Philox4 philox_block(std::uint64_t seed, std::uint64_t step, std::uint32_t op_id, std::uint64_t block) {
  const Philox4 counter{{static_cast<std::uint32_t>(block),
                         static_cast<std::uint32_t>((block >> 32) & 0xFFFFu) | static_cast<std::uint32_t>((step >> 32) << 16),
                         op_id, static_cast<std::uint32_t>(step)}};
  return philox4x32(static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), counter);
}

ERASERELU_HD float uniform_of(std::uint32_t word) { return static_cast<float>(word >> 8) * (1.0f / 16777216.0f); }

/// The uniform number in [0,1) of one element.
ERASERELU_HD float philox_uniform(std::uint64_t seed, std::uint64_t step, std::uint32_t op_id, std::uint64_t element) {
  return uniform_of(philox_block(seed, step, op_id, element / 4).word[element % 4]);
}

}  // namespace eraserelu
