// The switch between fibers.
#include "fiber.h"

#ifdef SIM_UCONTEXT

namespace simulated_gpu {

void Fiber::prepare(std::byte* stack, std::size_t size, void (*entry)()) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = size;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
}

void Fiber::switch_between(Fiber& from, Fiber& to) { swapcontext(&from.context_, &to.context_); }

}  // namespace simulated_gpu

#else

// Saves what a function must preserve on the old stack and takes it from the new one.
asm(R"(
.text
.type simulated_gpu_switch, @function
simulated_gpu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simulated_gpu_switch, .-simulated_gpu_switch
)");
extern "C" void simulated_gpu_switch(void** from, void** to);

namespace simulated_gpu {

void Fiber::prepare(std::byte* stack, std::size_t size, void (*entry)()) {
  void** top = reinterpret_cast<void**>(stack + size);   // a multiple of 16
  *--top = nullptr;                                       // where a return address lies, which also aligns the stack for `entry`
  *--top = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
  stack_pointer_ = top;
}

void Fiber::switch_between(Fiber& from, Fiber& to) { simulated_gpu_switch(&from.stack_pointer_, &to.stack_pointer_); }

}  // namespace simulated_gpu

#endif
