// Running a graph on the simulated device.
#pragma once

#include "tests/cudnn/device_tensor.h"

namespace frontend {

/// A stream and a handle on the stand-in; made after the process of a case has begun.
class Device {
 public:
  Device();
  const Handle& handle() const { return *handle_; }
  cudaStream_t stream() const { return stream_; }
  void synchronise() const;

 private:
  cudaStream_t stream_ = nullptr;
  std::unique_ptr<Handle> handle_;
};

/// Memory for one plan's workspace; nullptr for a plan without one.
void* workspace_for(const Graph& graph, std::int64_t plan);

/// Executes one plan and waits for it. Pointers by tensor.
void run(const Device& device, const Graph& graph, const std::map<Id, void*>& pointers, std::int64_t plan = 0);

/// Builds a graph and runs its first plan.
void build_and_run(Graph& graph, const std::map<Id, void*>& pointers);

/// What a call throws; "" if it does not.
std::string error_of(const std::function<void()>& call);

}  // namespace frontend
