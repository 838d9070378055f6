#include "cuda/engine_check.h"

#include <algorithm>

#include "base/error.h"

namespace eraserelu::cuda {

namespace {

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;

  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

DeviceMemory::DeviceMemory(std::size_t bytes) {
  const cudaError_t status = cudaMalloc(&data_, std::max<std::size_t>(bytes, 1));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail(ErrorCode::OutOfMemory, bytes, " bytes are not free on the GPU");
  }
  check(status, "cudaMalloc of " + std::to_string(bytes) + " bytes");
}

std::string operand_text(const char* name, const TensorDesc& tensor) {
  return std::string(" ") + name + to_string(tensor.shape) + name_of(tensor.dtype) + "@" + std::to_string(std::min<std::int64_t>(tensor.alignment, 16));
}

void EngineCheck::run(const CudnnGraph& graph, const DeviceMemory& workspace) {
  std::vector<void*> operands = addresses();
  graph.execute(device_, operands, graph.workspace() > 0 ? workspace.data() : nullptr);
}

double EngineCheck::seconds(const CudnnGraph& graph) {
  const DeviceMemory workspace(graph.workspace());
  return seconds_of([&] { run(graph, workspace); });
}

double EngineCheck::seconds_of(const std::function<void()>& launches) {
  addresses();   // whose making is not timed
  const Event start, end;
  float least = 0, total = 0;   // milliseconds
  for (int runs = 0; runs < 3 || (runs < 10 && total < 20); ++runs) {
    check(cudaEventRecord(start.get(), device_.stream), "timing an engine");
    launches();
    check(cudaEventRecord(end.get(), device_.stream), "timing an engine");
    check(cudaEventSynchronize(end.get()), "timing an engine");
    float time = 0;
    check(cudaEventElapsedTime(&time, start.get(), end.get()), "timing an engine");
    least = runs == 0 ? time : std::min(least, time);
    total += time;
  }
  return least / 1000;
}

}  // namespace eraserelu::cuda
