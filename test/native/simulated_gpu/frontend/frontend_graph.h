// A thin layer over cudnn-frontend, so that its headers are compiled once (they take half a minute). Tensors are numbers, shapes
// are N, C, H, W (filters K, C/groups, R, S), memory is channels-last. Every failure is a std::runtime_error with cuDNN's own
// words.
#pragma once

#include <cfloat>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace frontend {

enum class Type { f32, bf16, f16, i8, boolean };
using Dims = std::vector<std::int64_t>;
using Id = std::int64_t;

/// Which libcudnn the process uses: to be called before anything else, once.
void open_library(const std::string& path);

/// A cuDNN handle; its stream is a cudaStream_t.
class Handle {
 public:
  explicit Handle(void* stream);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  void* get() const { return handle_; }

 private:
  void* handle_ = nullptr;
};

/// Windows of a convolution or a pooling; `size` only for pooling.
struct Window {
  Dims pre{0, 0}, post{0, 0}, stride{1, 1}, dilation{1, 1}, size{};
};

/// The clips of a ReLU.
struct Clip {
  float lower = 0, upper = FLT_MAX, slope = 0;
};

struct Norm {
  Id y, mean, inverse, runningMean, runningVariance;   // the last two are -1 without running statistics
};
struct Running {
  Id mean, variance, momentum;
};
struct NormGradients {
  Id dx, dscale, dbias;
};
struct Pooled {
  Id y, index;   // index is -1 when it was not asked for
};

/// A serialised plan.
using Blob = std::vector<std::uint8_t>;

class Graph {
 public:
  /// The type of the graph's own inputs and outputs. Its virtual tensors are f32 unless set_intermediate says otherwise.
  explicit Graph(Type io);
  ~Graph();

  void set_intermediate(Type type);

  /// Pixels are `pitch` elements apart (0: packed).
  Id tensor(const Dims& dims, Type type, std::int64_t pitch = 0);
  Id scalar(float value);
  /// An f32 scalar that each execution reads from the host pointer given for it.
  Id host_scalar();

  Id convolution(Id x, Id w, const Window& window);
  Id convolution_data(Id dy, Id w, const Dims& dims, const Window& window);
  Id convolution_filter(Id dy, Id x, const Dims& dims, const Window& window);
  /// "add", "mul", "cmp_gt", …: cudnnPointwiseMode_t's name in lower case.
  Id pointwise(const std::string& mode, const std::vector<Id>& operands);
  Id relu(Id x, const Clip& clip = {});
  Id relu_backward(Id dy, Id x, const Clip& clip = {});
  Norm batch_norm(Id x, Id scale, Id bias, float epsilon, const std::optional<Running>& running = std::nullopt);
  Id batch_norm_inference(Id x, Id mean, Id inverse, Id scale, Id bias);
  NormGradients batch_norm_backward(Id dy, Id x, Id scale, Id mean, Id inverse);
  /// "max", "avg_include" or "avg_exclude".
  Pooled pool(const std::string& mode, Id x, const Window& window, bool index = false);
  /// "add", "min", "max", "mul", "avg".
  Id reduce(const std::string& mode, Id x, const Dims& dims);

  /// Makes a tensor an output: it gets memory, packed.
  Id output(Id id, Type type);
  /// The same with pixels `pitch` elements apart; 0: packed.
  Id output(Id id, Type type, const Dims& dims, std::int64_t pitch);

  /// Builds the plans of all engine configurations that cuDNN offers; of deterministic ones only, if asked.
  void build(const Handle& handle, bool deterministic = false);
  /// The engine configurations that cuDNN offers and supports on a device described by its properties (JSON), which need not be
  /// there.
  std::int64_t supported_plans(const std::string& deviceProperties, int architecture);
  /// Only lowers the graph to cuDNN's descriptors, for that device.
  void lower(const std::string& deviceProperties, int architecture);

  std::int64_t plans() const;
  std::string plan_name(std::int64_t plan) const;
  std::int64_t workspace(std::int64_t plan) const;
  void execute(const Handle& handle, const std::map<Id, void*>& pointers, void* workspace, std::int64_t plan) const;

  /// The best plan as bytes, and a graph from them: it can execute plan 0, with the ids of the graph that was written.
  Blob serialise() const;
  static std::unique_ptr<Graph> from(const Handle& handle, const Blob& blob);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self_;
};

}  // namespace frontend
