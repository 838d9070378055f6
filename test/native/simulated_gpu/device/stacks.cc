// Stacks are mapped when they are needed first, and kept.
#include "stacks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace simulated_gpu {

std::byte* Stacks::take() {
  if (free_.empty()) {
    const auto guard = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* mapping = mmap(nullptr, guard + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, guard, PROT_NONE) != 0) {
      std::perror("simulated GPU: a stack for a thread");
      std::abort();
    }
    return static_cast<std::byte*>(mapping) + guard;
  }
  std::byte* const stack = free_.back();
  free_.pop_back();
  return stack;
}

}  // namespace simulated_gpu
