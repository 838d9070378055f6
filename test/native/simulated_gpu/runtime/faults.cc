// The handler of SIGSEGV. It comes from an access to simulated memory, where no lock and no allocation is under way, or from a process that
// is about to end, so it may use what a handler otherwise must not.
#include "faults.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "device/block.h"
#include "memory.h"

namespace simulated_cuda {
namespace {

struct sigaction earlier;

void open_or_explain(int signal, siginfo_t* info, void*) {
  if (open_touched(info->si_addr)) return;   // which repeats the access
  if (find_mapping(info->si_addr) != nullptr || simulated_gpu::is_running()) {
    const char* const who = opened_device() < 0 ? "host code touched device memory" : "device work touched memory it may not";
    std::fprintf(stderr, "simulated GPU: %s: %s%s\n", who, describe(info->si_addr).c_str(), simulated_gpu::position().c_str());
  }
  sigaction(signal, &earlier, nullptr);   // returning repeats the access, and the earlier handler gets it
}

}  // namespace

void catch_faults() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = open_or_explain;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &earlier);
  });
  static thread_local bool hasStack = false;
  if (hasStack) return;
  hasStack = true;
  stack_t stack{};
  sigaltstack(nullptr, &stack);
  if ((stack.ss_flags & SS_DISABLE) == 0) return;   // somebody else gave the thread one
  constexpr std::size_t size = 64 << 10;
  stack = {};
  stack.ss_sp = std::malloc(size);   // as long as the process: the thread may fault until its end
  stack.ss_size = size;
  sigaltstack(&stack, nullptr);
}

}  // namespace simulated_cuda
