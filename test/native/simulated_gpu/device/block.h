// Runs grids: block by block, and the threads of a block as fibers, in orders that SIM_ORDER decides. A thread runs until it
// waits. Only one grid runs at a time in a process (the runtime holds its lock), so the state is plain globals.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace simulated_gpu {

/// A place in the source where threads meet; its address tells it from others.
struct Site {
  const char* file;
  int line;
};

struct Warp {
  unsigned left = 0;         // lanes that have returned or never were, one bit each
  unsigned waiting = 0;      // lanes that wait for others of the warp
  std::uint32_t epoch = 0;   // how often all its lanes met in __syncwarp
};

/// What kernels see of the thread that runs.
struct ThreadView {
  uint3 index;
  unsigned number = 0;   // in the block, x fastest
  unsigned lane = 0;
  Warp* warp = nullptr;
};
extern ThreadView* thread;

/// What kernels see of the block that runs.
struct BlockView {
  uint3 index;
  dim3 size;
  dim3 grid;
  std::uint32_t epoch = 0;         // counts blocks and barriers, over all grids
  std::uint32_t first_epoch = 0;   // of this block
  std::size_t dynamic_shared = 0;  // bytes
};
extern BlockView block;

/// Runs a grid; `body` is what each thread does. Returns "", or what was wrong and where.
std::string run_grid(dim3 grid, dim3 block_size, std::size_t dynamic_shared, const std::function<void()>& body);

/// Called by a thread that does something wrong: ends the grid.
[[noreturn]] void fail(const std::string& message);

/// __syncthreads.
void sync_block(const Site& site);

constexpr int noLane = -1;

/// Meets the lanes of `mask`, giving `value` (up to 16 bytes) and `vote`. Afterwards `value` is that of lane `source` unless
/// this is noLane. Returns the votes of the lanes, one bit each. `orders_memory`: as __syncwarp does and shuffles do not.
unsigned meet_warp(const Site& site, unsigned mask, void* value, std::size_t size, int source, bool vote, bool orders_memory);

bool is_running();

/// ", block (0,0,0) thread (0,0,0)" while a thread runs, else "".
std::string position();

}  // namespace simulated_gpu
