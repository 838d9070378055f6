// A thin typed layer over cudnn-frontend, whose headers cudnn_graph.cc alone includes (they take half a minute to compile). Shapes are
// those of the engine: activations [N,H,W,C], filters [K,R,S,C/G], vectors [C]; all dense.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/tensor_desc.h"
#include "cuda/device.h"

namespace eraserelu::cuda {

/// Loads cuDNN. Returns "" or why it cannot be used. To be called before anything else here.
std::string open_cudnn(const std::string& beside);
std::string cudnn_version();   // "9.28.1"
cudnnContext* create_cudnn(cudaStream_t stream);

/// cuDNN cannot run a graph; what() is in its words.
class CudnnRefusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The windows of a convolution; height before width.
struct Windows {
  Shape stride, dilation;   // dilation 1: dense
  Shape before, after;      // padding
};

/// One of the plans that cuDNN offers for a graph, with what it says of it.
struct EngineCandidate {
  std::string name;            // "eng12_k2=3"
  bool deterministic = true;   // the same bytes in give the same bytes out
  bool rounds = false;         // rounds its operands: with f32 operands it computes in TF32 or less
};

class CudnnGraph {
 public:
  using Id = std::size_t;

  /// `io`: the type of the activations; sums are f32.
  explicit CudnnGraph(DType io);
  ~CudnnGraph();

  /// Tensors in memory, in the order in which execute() takes their addresses. An output is a result that goes to memory.
  Id input(const TensorDesc& tensor);
  void output(Id result, const TensorDesc& tensor);
  /// A mask (base/mask.h), a bit for each element of `like`.
  Id input_bits(const TensorDesc& like);
  void output_bits(Id result, const TensorDesc& like);

  Id convolution(Id x, Id w, const Windows& windows);
  Id convolution_data(Id dy, Id w, const Windows& windows, const TensorDesc& dx);
  Id convolution_filter(Id dy, Id x, const Windows& windows, const TensorDesc& dw);
  Id add(Id a, Id b);   // b may be a vector of channels
  Id relu(Id x);
  Id unclipped_relu(Id x);   // the identity: its lower clip is the most negative float

  /// Batch norm in training; the results in the order in which they count as tensors in memory.
  struct Norm {
    Id mean, invstd, y;
  };
  Norm batch_norm(Id x, Id gamma, Id beta, float epsilon);
  Id positive(Id y);   // bits
  /// The gradient that passes the ReLU behind batch norm: where `bits` say so, or where batch norm is positive, which is computed again.
  Id masked(Id dy, Id bits);
  Id relu_gradient(Id dy, Id x, Id gamma, Id beta, Id mean, Id invstd);
  struct NormGradients {
    Id dgamma, dbeta, dx;
  };
  NormGradients batch_norm_gradients(Id dy, Id x, Id gamma, Id mean, Id invstd);

  /// Asks cuDNN's heuristics for plans. Throws CudnnRefusal when there is none.
  void propose(const Device& device);

  /// What propose() found, what cuDNN thinks the fastest first.
  std::size_t candidates() const;
  EngineCandidate candidate(std::size_t index) const;

  /// Builds a candidate; what follows is about the one that was built last. Throws CudnnRefusal when cuDNN does not support it after all, or when it
  /// needs more than `workspaceLimit` bytes (-1: no limit).
  void build(std::size_t index, std::int64_t workspaceLimit = -1);

  std::size_t workspace() const;   // bytes, at a multiple of kWorkspaceAlignment
  std::string engine() const;      // cuDNN's name of the plan: "eng12_k2=3"

  /// Throws std::runtime_error in cuDNN's words.
  void execute(const Device& device, std::vector<void*>& addresses, void* workspace) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

constexpr std::size_t kWorkspaceAlignment = 256;

/// The scratchpad for a workspace, and where in it the workspace begins.
inline std::size_t scratchpad_for(std::size_t workspace) { return workspace > 0 ? workspace + kWorkspaceAlignment : 0; }
inline void* workspace_in(char* scratchpad) {
  return scratchpad + (kWorkspaceAlignment - reinterpret_cast<std::uintptr_t>(scratchpad) % kWorkspaceAlignment) % kWorkspaceAlignment;
}

}  // namespace eraserelu::cuda
