// Which of the plans that cuDNN offers for a graph is taken: what cuDNN thinks the fastest of those that the policy allows and that compute right on
// this device; under `autotune` what an earlier run took, else the fastest as measured. What was found out is kept (engine_cache.h).
#pragma once

#include <string>

#include "backend/backend.h"
#include "cuda/engine_check.h"

namespace eraserelu::cuda {

/// Why a policy does not allow a plan for a graph whose operands are of type `io`; "" when it does.
std::string objection(const EngineCandidate& candidate, const Policy& policy, DType io);

/// Builds the plan to use for the graph that `check` checks. Adds to `told` a note on each engine that was found to compute wrong or is
/// not taken again, and under `autotune` the choice. False: none, our own kernels are faster. Throws CudnnRefusal with the reason against each plan when
/// none can be used; OutOfMemory and DeviceError.
bool choose_engine(CudnnGraph& graph, EngineCheck& check, const Device& device, const Policy& policy, Requirements& told);

}  // namespace eraserelu::cuda
