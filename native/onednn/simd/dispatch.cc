// Chooses the set of loops by what the processor says it can do; ERASERELU_CPU_ISA names a lesser one.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "onednn/simd/loops.h"

namespace eraserelu {

extern const Loops kLoops_v2;
extern const Loops kLoops_v3;
extern const Loops kLoops_v4;

namespace {

struct Choice {
  const Loops* loops;
  bool runs;
};

const Loops& choose_loops() {
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const Choice choices[] = {{&kLoops_v4, v4}, {&kLoops_v3, v3}, {&kLoops_v2, true}};   // best first
  const char* variable = std::getenv("ERASERELU_CPU_ISA");
  const std::string_view wanted = variable ? variable : "";
  std::string names;
  for (const auto& [loops, runs] : choices) {
    if (!runs) continue;
    if (wanted.empty() || wanted == loops->name) return *loops;
    names += (names.empty() ? "'" : ", '") + std::string(loops->name) + "'";
  }
  fail(ErrorCode::InvalidArgument, "ERASERELU_CPU_ISA is '", wanted, "': on this processor it may be ", names);
}

}  // namespace

const Loops& best_loops() {
  static const Loops& chosen = choose_loops();
  return chosen;
}

template <>
const TypedLoops<float>& loops<float>() { return best_loops().f32; }

template <>
const TypedLoops<Bf16>& loops<Bf16>() { return best_loops().bf16; }

}  // namespace eraserelu
