// Which elements dropout keeps: a pure function of seed, step, operation and element, so the gradient draws it again.
#pragma once

#include "base/philox.h"
#include "plan/step_params.h"

namespace eraserelu {

/// `elements` is the size of the whole tensor: microbatches of one step draw different numbers. p is compared as a float.
ERASERELU_HD bool dropout_keeps(const StepParams& step, std::uint32_t opId, std::int64_t element, std::int64_t elements,
                                float p) {
  return philox_uniform(step.seed, step.step, opId, static_cast<std::uint64_t>(element + step.micro * elements)) >= p;
}

}  // namespace eraserelu
