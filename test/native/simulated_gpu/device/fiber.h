// Fibers: several stacks on one thread of the host, switched by hand. On x86-64 a switch is a dozen instructions; elsewhere, or
// with SIM_UCONTEXT, it is swapcontext.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) && !defined(SIM_UCONTEXT)
#define SIM_UCONTEXT
#endif

#ifdef SIM_UCONTEXT
#include <ucontext.h>
#endif

namespace simulated_gpu {

class Fiber {
 public:
  /// Lets the next switch to this fiber begin `entry`, which never returns, on the given stack.
  void prepare(std::byte* stack, std::size_t size, void (*entry)());

  /// Leaves `from` and goes on where `to` was left.
  static void switch_between(Fiber& from, Fiber& to);

 private:
#ifdef SIM_UCONTEXT
  ucontext_t context_;
#else
  void* stack_pointer_ = nullptr;
#endif
};

}  // namespace simulated_gpu
