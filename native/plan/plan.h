// A plan: a compiled graph, ready to run. Every kernel prepared, every buffer placed; a run is a list of launches.
//
// prepare (constructor) → memory() is known → first run allocates and binds → run, run, …
// Used on one thread at a time: the device's runner.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "plan/input_queue.h"
#include "plan/memory_plan.h"
#include "plan/plan_desc.h"
#include "plan/shared_arena.h"
#include "plan/step_params.h"
#include "plan/store.h"

namespace eraserelu {

/// The inputs of one microbatch: those staged under a number, or, where that is 0, these.
struct Microbatch {
  std::uint64_t staged = 0;
  HostBlock inputs;
};

struct RunRequest {
  std::vector<Microbatch> microbatches;
  StepParams params;
  bool profile = false;
};

struct RunResult {
  std::vector<std::vector<std::byte>> outputs;   // in the order of PlanDesc::outputs
  std::vector<double> node_seconds;              // with RunRequest::profile
};

/// A run whose launches are made. Its outputs may still be on the way to the host.
struct PendingRun {
  RunResult result;
  std::shared_ptr<Outlet> outlet;   // nullptr: the outputs are in the result
  std::exception_ptr failure;       // met while it was asked whether they had arrived
};

struct PlanMemory {
  std::size_t arena = 0;       // planned memory, shared with other plans of the device
  std::size_t live_peak = 0;   // the least any planner could do
  std::size_t inputs = 0;      // the one that is read, and where the device has an inlet the next
  std::size_t resident = 0;
  std::size_t packed = 0;
  std::vector<std::pair<std::string, std::size_t>> largest;
};

/// Told after each kernel how many of how many are prepared.
using PrepareProgress = std::function<void(std::size_t prepared, std::size_t total)>;

class Plan {
 public:
  Plan(PlanDesc desc, std::shared_ptr<Store> store, std::shared_ptr<SharedArena> arena, const PrepareProgress& progress = nullptr);
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
  /// What the choice of engines should tell the plan's owner, a sentence each; the same for several nodes once.
  std::vector<std::string> notes() const;
  /// The engines chosen under Policy::autotune.
  EngineChoices choices() const;

  void set_resident(int tensor, const std::vector<std::byte>& bytes);

  /// Takes the inputs of a later run, one block of bytes an input in the order of inputs(), and begins to carry them to the device.
  /// `id`: from 1 on, larger than those before.
  void stage(std::uint64_t id, HostBlock inputs);

  /// Runs the gradient section once a microbatch, then the update section. Throws Aborted when `abort` was set before the
  /// update section began: the store is then unchanged. On a device that launches ahead of the host this returns when all is
  /// launched, and a later run may be started before this one has ended, but no third before the first is finished.
  PendingRun start(const RunRequest& request, const std::atomic<bool>& abort);
  /// Also when something went wrong, which finish then throws.
  static bool arrived(PendingRun& run) noexcept;
  /// Waits for the outputs. Runs are finished in the order in which they were started, each exactly once.
  RunResult finish(PendingRun run) const;

 private:
  /// Consecutive nodes executed together, whole or chunk by chunk.
  struct Step {
    int begin = 0;
    int end = 0;
    std::int64_t batch = 0;
    std::int64_t chunk = 0;   // == batch when not tiled
    Section section = Section::gradient;
  };

  /// What is recorded as one: a section, or both where a step has one microbatch.
  enum class Part { gradient, update, step };

  /// How a part is run, since the addresses were bound.
  struct PartState {
    bool launched = false;   // once, kernel by kernel
    bool refused = false;    // the backend does not record
    std::unique_ptr<Recording> recording;
  };

  OpDesc describe(int node) const;
  OpDesc checked(int node) const;   // throws where it is described wrong
  /// Whether a backend may make one kernel of a node and the next. An addition is such a next one only where its `b` is what the node
  /// writes first, and nothing else reads that: the kernel need not write it.
  bool is_run(int node) const;
  /// Under whatever name, and neither after the step.
  bool is_read_once(int tensor) const;
  void prepare(const PrepareProgress& progress);
  void make_steps();
  void ensure_memory();
  /// Allocates what inputs, parameters and outputs need on their way.
  void open_ways();
  /// Throws OutOfMemory when less is free than ensure_memory will allocate: asked, free, the largest tensors, the batch that would fit.
  void require_room() const;
  /// Bytes of the inputs, residents and packed copies that are not allocated yet, if they had the shapes of `desc`.
  std::size_t bytes_of_own(const PlanDesc& desc) const;
  std::size_t batch_that_fits(std::size_t room) const;   // 0: none
  std::string largest_tensors() const;
  void bind();
  void pack();
  /// In a catch block: rethrows what is no Error yet as one that names the node, OutOfMemory or DeviceError.
  [[noreturn]] void rethrow_at(int node) const;
  void* address(int tensor) const;
  void take_inputs(const Microbatch& microbatch);
  void run_part(Part part, const std::atomic<bool>& abort, std::vector<double>* node_seconds);
  void launch_part(Part part, const std::atomic<bool>* abort, std::vector<double>* node_seconds);
  PendingRun send_outputs(RunResult result);
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
  bool keeps_packed_ = true;   // whether kernels may keep copies of the parameters
  MemoryPlan memory_;
  std::vector<void*> own_;      // by tensor: memory of inputs and residents
  std::vector<void*> packed_;   // by node
  StepParams* params_ = nullptr;   // memory of the device
  bool allocated_ = false;
  InputQueue input_queue_;
  InputQueue params_queue_;
  std::vector<Extent> outputs_;
  std::shared_ptr<Outlet> outlet_;
  std::array<PartState, 3> parts_;
  std::uint64_t bound_generation_ = 0;
  std::uint64_t packed_version_ = 0;
};

}  // namespace eraserelu
