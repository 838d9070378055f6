// What each operation computes: plain loops, sums in double, one rounding when a tensor is stored. Each file says which document
// or sample its meaning is taken from.
#pragma once

#include "interpreter/memory.h"

namespace simulated_cudnn {

void run_convolution_forward(const Graph& graph, const Operation& operation, Memory& memory);
void run_convolution_backward_data(const Graph& graph, const Operation& operation, Memory& memory);
void run_convolution_backward_filter(const Graph& graph, const Operation& operation, Memory& memory);
void run_pointwise(const Graph& graph, const Operation& operation, Memory& memory);
void run_reduction(const Graph& graph, const Operation& operation, Memory& memory);
void run_resample_forward(const Graph& graph, const Operation& operation, Memory& memory);
void run_resample_backward(const Graph& graph, const Operation& operation, Memory& memory);
void run_norm_forward(const Graph& graph, const Operation& operation, Memory& memory);
void run_norm_backward(const Graph& graph, const Operation& operation, Memory& memory);

/// All operations of a graph, in order.
void run_graph(const Graph& graph, Memory& memory);

}  // namespace simulated_cudnn
