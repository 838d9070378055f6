// Running a plan: sections launched one by one, or recorded and replayed; checked mode.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/reals.h"
#include "plan/plan.h"

namespace eraserelu {

namespace {
constexpr int kGuardPattern = 0xA5;
}

void Plan::stage(std::uint64_t id, HostBlock inputs) { input_queue_.stage(id, std::move(inputs)); }

PendingRun Plan::start(const RunRequest& request, const std::atomic<bool>& abort) {
  ensure_memory();
  if (packed_version_ != store_->version()) pack();
  reset_guards();

  RunResult result;
  if (request.profile) result.node_seconds.assign(kernels_.size(), 0.0);
  std::vector<double>* seconds = request.profile ? &result.node_seconds : nullptr;

  const bool updates = !steps_.empty() && steps_.back().section == Section::update;
  const bool at_once = updates && request.microbatches.size() == 1;
  StepParams params = request.params;
  params.microCount = static_cast<std::int32_t>(request.microbatches.size());
  for (const Microbatch& microbatch : request.microbatches) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&params);
    params_queue_.give({{nullptr, bytes, sizeof params}});
    take_inputs(microbatch);
    run_part(at_once ? Part::step : Part::gradient, abort, seconds);
    ++params.micro;
  }
  if (updates && !at_once) run_part(Part::update, abort, seconds);
  return send_outputs(std::move(result));
}

void Plan::take_inputs(const Microbatch& microbatch) {
  if (microbatch.staged > 0) return input_queue_.take(microbatch.staged);
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    check(microbatch.inputs.at(i).size == desc_.tensors[inputs_[i]].desc.bytes(), "input '", desc_.tensors[inputs_[i]].name,
          "' has another size");
  input_queue_.give(microbatch.inputs);
}

PendingRun Plan::send_outputs(RunResult result) {
  if (outlet_) {
    outlet_->send(outputs_);
    return {std::move(result), outlet_, nullptr};
  }
  backend_.synchronize();
  for (const Extent& output : outputs_) {
    std::vector<std::byte>& bytes = result.outputs.emplace_back(output.bytes);
    backend_.download(bytes.data(), output.data, bytes.size());
  }
  return {std::move(result), nullptr, nullptr};
}

bool Plan::arrived(PendingRun& run) noexcept {
  try {
    return !run.outlet || run.outlet->arrived();
  } catch (...) {
    run.failure = std::current_exception();
    return true;
  }
}

RunResult Plan::finish(PendingRun run) const {
  if (!run.outlet) return std::move(run.result);
  const std::byte* bytes = run.outlet->receive();
  if (run.failure) std::rethrow_exception(run.failure);
  for (const Extent& output : outputs_) {
    run.result.outputs.emplace_back(bytes, bytes + output.bytes);
    bytes += output.bytes;
  }
  return std::move(run.result);
}

void Plan::run_part(Part part, const std::atomic<bool>& abort, std::vector<double>* node_seconds) {
  if (abort) fail(ErrorCode::Aborted, "aborted");
  if (part != Part::gradient) store_->changed();   // first, so that an update that fails halfway leaves no packed copy that counts as fresh
  if (desc_.checked || node_seconds) return launch_part(part, &abort, node_seconds);
  PartState& state = parts_[static_cast<std::size_t>(part)];
  // What libraries load at a first launch cannot be loaded in a recording.
  if (state.launched && !state.refused && !state.recording) {
    state.recording = backend_.record([&] { launch_part(part, nullptr, nullptr); });
    state.refused = !state.recording;
  }
  if (state.recording) return state.recording->replay();
  launch_part(part, &abort, nullptr);
  state.launched = true;
}

void Plan::launch_part(Part part, const std::atomic<bool>* abort, std::vector<double>* node_seconds) {
  using Clock = std::chrono::steady_clock;
  bool updating = false;
  int node = 0;
  try {
    for (const Step& step : steps_) {
      if (part != Part::step && (part == Part::update) != (step.section == Section::update)) continue;
      for (std::int64_t first = 0; first < step.batch; first += step.chunk) {
        // Not within the update, which is made whole or not at all.
        if (abort && *abort && !updating) fail(ErrorCode::Aborted, "aborted");
        updating = step.section == Section::update;
        const std::int64_t count = std::min(step.chunk, step.batch - first);
        for (node = step.begin; node < step.end; ++node) {
          const Clock::time_point start = node_seconds ? Clock::now() : Clock::time_point();
          kernels_[node]->launch(first, count);
          if (!node_seconds) continue;
          backend_.synchronize();
          (*node_seconds)[node] += std::chrono::duration<double>(Clock::now() - start).count();
        }
      }
      if (desc_.checked)
        for (node = step.begin; node < step.end; ++node) check_node(node);
    }
  } catch (...) {
    rethrow_at(node);
  }
}

void Plan::reset_guards() {
  for (std::size_t offset : memory_.guards)
    backend_.fill(static_cast<std::byte*>(arena_->memory()) + offset, kGuardPattern, memory_.guard);
}

void Plan::check_node(int node) {
  const NodeEntry& entry = desc_.nodes[node];
  std::vector<unsigned char> guard(memory_.guard);
  for (std::size_t offset : memory_.guards) {
    backend_.download(guard.data(), static_cast<std::byte*>(arena_->memory()) + offset, guard.size());
    if (std::any_of(guard.begin(), guard.end(), [](unsigned char byte) { return byte != kGuardPattern; }))
      fail(ErrorCode::Internal, describe(node).to_string(), ": wrote outside its outputs");
  }
  for (int tensor : entry.writes) {
    if (tensor < 0) continue;
    const TensorDesc& desc = desc_.tensors[tensor].desc;
    if (desc.dtype == DType::i32 || desc.dtype == DType::u8) continue;
    std::vector<char> bytes(desc.extent());
    backend_.download(bytes.data(), address(tensor), bytes.size());
    const Reals values(bytes.data(), desc.dtype);
    for (std::int64_t i = 0; i < desc.elements(); ++i) {
      const double value = values[desc.position(i)];
      if (!std::isfinite(value))
        fail(ErrorCode::NotFinite, "layer '", entry.name, "' (", entry.spec->name, ") is the first that is not finite: element ", i,
             " of ", to_string(desc.shape), " is ", value);
    }
  }
}

}  // namespace eraserelu
