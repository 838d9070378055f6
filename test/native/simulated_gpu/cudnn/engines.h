// The engines that the stand-in offers for every graph it supports. They compute the same, but for what a backend must be able to
// handle: engines that lie (SIM_CUDNN_LIE, their indices), any with the numerical note NONDETERMINISTIC, engines that are off by
// what TF32 costs in f32: with "rounds=1", and, where SIM_CUDNN_TF32 is set, all with the note TENSOR_CORE; and engines that are
// wrong in one result only, or in the statistics of a batch norm (EngineFaults).
#pragma once

#include <vector>

#include "interpreter/memory.h"

namespace simulated_cudnn {

struct Engine {
  std::int64_t index = 0;   // the N in cudnn-frontend's plan name "engN_k2=1"
  std::vector<cudnnBackendNumericalNote_t> numerical;
  std::vector<cudnnBackendBehaviorNote_t> behaviour;
  std::vector<std::pair<cudnnBackendKnobType_t, std::int64_t>> knobs;
  std::int64_t workspace = 0;   // bytes
  std::int32_t shared = 0;   // bytes of shared memory
  int time = 0;   // milliseconds that an execution takes at least
  bool rounds = false;       // to TF32, whatever its notes say
  EngineFaults faults;
};

/// Best first. The environment variable SIM_CUDNN_ENGINES replaces them: engines separated by ';', each its index and any of
/// "numerical=N", "behaviour=N", "knob=TYPE:VALUE" (again for more), "workspace=BYTES", "shared=BYTES", "rounds=1", "time=MILLISECONDS",
/// "no_epsilon=1", "one_pass=1", "lies=N", "leaves=N".
std::vector<Engine> offered_engines();

/// Throws NOT_SUPPORTED when no engine has this index.
Engine engine_of(std::int64_t index);

/// What this engine does to the values it writes in its next execution; empty for an honest one.
Distortion distortion_of(const Engine& engine);

}  // namespace simulated_cudnn
