// Whether the real cuDNN would run a graph: rules that are documented or were observed, and the table that `npm run check:cudnn`
// writes.
#pragma once

#include "graph.h"

namespace simulated_cudnn {

/// The engine configurations that cuDNN has for this graph. Throws NOT_SUPPORTED, with the reason, when it has none. With
/// SIM_CUDNN_TABLE (a file of lines "<plans> <key>", '#' begins a comment) a graph must have a row there; without it only the
/// rules are asked. Forms whose key contains SIM_CUDNN_REFUSE are refused too.
std::size_t supported_plans(const Graph& graph, int architecture);

}  // namespace simulated_cudnn
