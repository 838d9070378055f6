// A plan: a compiled graph, ready to run. Every kernel prepared, every buffer placed; a run is a list of launches.
//
// prepare (constructor) → memory() is known → first run allocates and binds → run, run, …
// Used on one thread at a time: the device's runner.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "plan/memory_plan.h"
#include "plan/plan_desc.h"
#include "plan/shared_arena.h"
#include "plan/step_params.h"
#include "plan/store.h"

namespace eraserelu {

/// What a run is given: for every microbatch the bytes of every input, in the order of Plan::inputs().
struct RunRequest {
  std::vector<std::vector<std::vector<std::byte>>> microbatches;
  StepParams params;
  bool profile = false;
};

struct RunResult {
  std::vector<std::vector<std::byte>> outputs;   // in the order of PlanDesc::outputs
  std::vector<double> node_seconds;              // with RunRequest::profile
};

struct PlanMemory {
  std::size_t arena = 0;       // planned memory, shared with other plans of the device
  std::size_t live_peak = 0;   // the least any planner could do
  std::size_t inputs = 0;
  std::size_t resident = 0;
  std::size_t packed = 0;
  std::vector<std::pair<std::string, std::size_t>> largest;
};

class Plan {
 public:
  Plan(PlanDesc desc, std::shared_ptr<Store> store, std::shared_ptr<SharedArena> arena);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const PlanDesc& desc() const { return desc_; }
  PlanMemory memory() const;
  /// Tensor numbers of the inputs (filled each run) and residents (filled once).
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& residents() const { return residents_; }
  /// The engine of each node, for reports.
  std::vector<std::string> engines() const;

  void set_resident(int tensor, const std::vector<std::byte>& bytes);

  /// Runs the gradient section once a microbatch, then the update section. Throws Aborted when `abort` was set before the
  /// update section began: the store is then unchanged.
  RunResult run(const RunRequest& request, const std::atomic<bool>& abort);

 private:
  /// Consecutive nodes executed together, whole or chunk by chunk.
  struct Step {
    int begin = 0;
    int end = 0;
    std::int64_t batch = 0;
    std::int64_t chunk = 0;   // == batch when not tiled
    Section section = Section::gradient;
  };

  OpDesc describe(int node) const;
  void prepare();
  void make_steps();
  void ensure_memory();
  void bind();
  void pack();
  /// In a catch block: rethrows what is no Error yet as one that names the node, OutOfMemory or DeviceError.
  [[noreturn]] void rethrow_at(int node) const;
  void* address(int tensor) const;
  void run_section(Section section, const std::atomic<bool>* abort, std::vector<double>* node_seconds);
  void check_node(int node);
  void reset_guards();

  PlanDesc desc_;
  std::shared_ptr<Store> store_;
  std::shared_ptr<SharedArena> arena_;
  Backend& backend_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<Requirements> requirements_;
  std::vector<Step> steps_;
  std::vector<int> inputs_;
  std::vector<int> residents_;
  MemoryPlan memory_;
  std::vector<void*> own_;      // by tensor: memory of inputs and residents
  std::vector<void*> packed_;   // by node
  std::unique_ptr<StepParams> params_ = std::make_unique<StepParams>();
  std::uint64_t bound_generation_ = 0;
  std::uint64_t packed_version_ = 0;
};

}  // namespace eraserelu
