// Batch norm as one graph of cuDNN: bnStats with bnApply, or bnBwdReduce with bnBwdApply. The kernels, the check of engines and whoever asks cuDNN what it
// supports build their graphs here. What of batch norm cuDNN has a form for: docs/decisions/0009-batch-norm-as-one-graph.md.
#pragma once

#include <string>
#include <vector>

#include "cuda/cudnn_graph.h"
#include "plan/op_desc.h"

namespace eraserelu::cuda {

class BatchNormForm {
 public:
  /// Whether the two operations are batch norm in a form that cuDNN could have; it may still refuse types or channels.
  static bool fits(const OpDesc& first, const OpDesc& second);

  BatchNormForm(const OpDesc& first, const OpDesc& second);   // which fit

  /// A tensor of the graph in memory.
  struct Operand {
    const char* name;   // as the vocabulary calls it
    TensorDesc tensor;
    bool written;
    bool ofFirst;       // an operand of the first operation; else of the second
  };

  const OpDesc& first() const { return first_; }
  const OpDesc& second() const { return second_; }
  bool forward() const { return forward_; }
  double epsilon() const { return first_.attributes.number("epsilon"); }   // forward
  const TensorDesc& x() const { return first_.read("x"); }

  /// In the order in which CudnnGraph::execute takes the addresses.
  const std::vector<Operand>& operands() const { return operands_; }

  /// All that is computed, on one line.
  std::string text() const;

  void describe(CudnnGraph& graph) const;

 private:
  void describe_forward(CudnnGraph& graph) const;
  void describe_backward(CudnnGraph& graph) const;

  OpDesc first_, second_;
  bool forward_, relu_;
  std::vector<Operand> operands_;
};

}  // namespace eraserelu::cuda
