#include "tests/cudnn/run.h"

#include <stdexcept>

namespace frontend {

Device::Device() {
  open_library("libcudnn.so.9");
  if (cudaStreamCreate(&stream_) != cudaSuccess) throw std::runtime_error("cudaStreamCreate failed");
  handle_ = std::make_unique<Handle>(stream_);
}

void Device::synchronise() const {
  if (const cudaError_t error = cudaStreamSynchronize(stream_); error != cudaSuccess)
    throw std::runtime_error(cudaGetErrorString(error));
}

void* workspace_for(const Graph& graph, std::int64_t plan) {
  const std::int64_t bytes = graph.workspace(plan);
  void* memory = nullptr;
  if (bytes > 0 && cudaMalloc(&memory, static_cast<std::size_t>(bytes)) != cudaSuccess)
    throw std::runtime_error("cudaMalloc failed");
  return memory;
}

void run(const Device& device, const Graph& graph, const std::map<Id, void*>& pointers, std::int64_t plan) {
  graph.execute(device.handle(), pointers, workspace_for(graph, plan), plan);
  device.synchronise();
}

void build_and_run(Graph& graph, const std::map<Id, void*>& pointers) {
  const Device device;
  graph.build(device.handle());
  run(device, graph, pointers);
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace frontend
