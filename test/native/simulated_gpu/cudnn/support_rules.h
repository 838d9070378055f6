// Graph forms that cuDNN is known to refuse.
#pragma once

#include "graph.h"

namespace simulated_cudnn {

/// Throws NOT_SUPPORTED for a form that is refused.
void refuse_known_forms(const Graph& graph);

}  // namespace simulated_cudnn
