#include "plan/plan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <new>

#include "base/error.h"
#include "plan/op_checks.h"

namespace eraserelu {

namespace {
constexpr int kGuardPattern = 0xA5;
}

Plan::Plan(PlanDesc desc, std::shared_ptr<Store> store, std::shared_ptr<SharedArena> arena)
    : desc_(std::move(desc)), store_(std::move(store)), arena_(std::move(arena)), backend_(store_->backend()),
      own_(desc_.tensors.size(), nullptr), packed_(desc_.nodes.size(), nullptr) {
  for (std::size_t i = 0; i < desc_.tensors.size(); ++i) {
    if (desc_.tensors[i].place == Place::input) inputs_.push_back(static_cast<int>(i));
    if (desc_.tensors[i].place == Place::resident) residents_.push_back(static_cast<int>(i));
  }
  prepare();
  make_steps();
  memory_ = plan_memory(desc_, requirements_);
}

Plan::~Plan() {
  arena_->leave(this);
  for (void* memory : own_) backend_.release(memory);
  for (void* memory : packed_) backend_.release(memory);
}

OpDesc Plan::describe(int node) const {
  const NodeEntry& entry = desc_.nodes[node];
  OpDesc op;
  op.spec = entry.spec;
  op.node = entry.name;
  op.attributes = entry.attributes;
  const auto list = [this](const std::vector<int>& tensors) {
    std::vector<TensorDesc> descs;
    for (int tensor : tensors) {
      TensorDesc absent;
      absent.present = false;
      descs.push_back(tensor < 0 ? absent : desc_.tensors[tensor].desc);
    }
    return descs;
  };
  op.reads = list(entry.reads);
  op.writes = list(entry.writes);
  for (const Region& region : desc_.regions)
    if (node >= region.begin && node < region.end) op.chunk = region.chunk;
  return op;
}

void Plan::prepare() {
  for (int node = 0; node < static_cast<int>(desc_.nodes.size()); ++node) {
    const OpDesc op = describe(node);
    check_shapes(op);
    check_in_place(op, desc_.nodes[node].reads, desc_.nodes[node].writes);
    kernels_.push_back(backend_.prepare(op));
    requirements_.push_back(kernels_.back()->requirements());
  }
}

namespace {
/// How many images a node works on: dimension 0 of what a map writes and a reduce reads.
std::int64_t batch_of(const PlanDesc& desc, const NodeEntry& node) {
  const auto& operands = node.spec->batch == Batch::reduce || node.writes.empty() ? node.reads : node.writes;
  const Shape& shape = desc.tensors[operands.at(0)].desc.shape;
  return shape.empty() ? 1 : shape[0];
}
}  // namespace

void Plan::make_steps() {
  std::size_t region = 0;
  Section section = Section::gradient;
  for (int node = 0; node < static_cast<int>(desc_.nodes.size());) {
    check(section == Section::gradient || desc_.nodes[node].section == Section::update, "gradient node after the update section");
    section = desc_.nodes[node].section;
    const std::int64_t batch = batch_of(desc_, desc_.nodes[node]);
    if (region < desc_.regions.size() && desc_.regions[region].begin == node) {
      const Region& r = desc_.regions[region++];
      check(r.chunk >= 1 && r.begin < r.end && r.end <= static_cast<int>(desc_.nodes.size()), "region [", r.begin, ",", r.end,
            ") with chunk ", r.chunk, " is empty or reaches beyond the plan");
      for (int i = r.begin; i < r.end; ++i)
        check(desc_.nodes[i].spec->batch != Batch::whole && batch_of(desc_, desc_.nodes[i]) == batch, "node '",
              desc_.nodes[i].name, "' cannot stand in a tiled region");
      steps_.push_back({r.begin, r.end, batch, r.chunk, section});
      node = r.end;
    } else {
      steps_.push_back({node, node + 1, batch, batch, section});
      ++node;
    }
  }
  check(region == desc_.regions.size(), "regions overlap, are out of order or begin beyond the plan");
}

PlanMemory Plan::memory() const {
  PlanMemory memory;
  memory.arena = memory_.arena.bytes;
  memory.live_peak = memory_.arena.live_peak;
  memory.largest = memory_.largest;
  for (int tensor : inputs_) memory.inputs += desc_.tensors[tensor].desc.bytes();
  for (int tensor : residents_) memory.resident += desc_.tensors[tensor].desc.bytes();
  for (const Requirements& need : requirements_) memory.packed += need.packed;
  return memory;
}

std::vector<std::string> Plan::engines() const {
  std::vector<std::string> names;
  for (const Requirements& need : requirements_) names.push_back(need.engine);
  return names;
}

void Plan::ensure_memory() {
  try {
    for (const auto* tensors : {&inputs_, &residents_})
      for (int tensor : *tensors)
        if (!own_[tensor]) own_[tensor] = backend_.allocate(desc_.tensors[tensor].desc.bytes());
    for (std::size_t node = 0; node < kernels_.size(); ++node)
      if (requirements_[node].packed > 0 && !packed_[node]) packed_[node] = backend_.allocate(requirements_[node].packed);
    arena_->reserve(this, memory_.arena.bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::OutOfMemory) throw;
    std::string message = error.what();
    message += "; the plan needs " + std::to_string(memory_.arena.bytes) + " bytes of activations. Largest tensors:";
    for (const auto& [name, bytes] : memory_.largest) message += " " + name + " (" + std::to_string(bytes) + ")";
    fail(ErrorCode::OutOfMemory, message, ". Use a smaller batch.");
  }
  if (bound_generation_ != arena_->generation()) bind();
}

void* Plan::address(int tensor) const {
  if (tensor < 0) return nullptr;
  const MemoryPlan::Location& location = memory_.tensors[tensor];
  std::byte* base = nullptr;
  switch (location.place) {
    case Place::arena: base = static_cast<std::byte*>(arena_->memory()); break;
    case Place::store: {
      const std::string& arena = desc_.tensors[location.root].arena;
      const std::size_t bytes = static_cast<std::size_t>(store_->elements(arena)) * sizeof(float);
      check(location.offset + desc_.tensors[tensor].desc.bytes() <= bytes, "tensor '", desc_.tensors[tensor].name,
            "' reaches beyond the store's arena '", arena, "'");
      base = reinterpret_cast<std::byte*>(store_->arena(arena));
      break;
    }
    default: base = static_cast<std::byte*>(own_[location.root]);
  }
  return base + location.offset;
}

void Plan::rethrow_at(int node) const {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::OutOfMemory, describe(node).to_string(), ": the host is out of memory");
  } catch (const std::exception& error) {
    fail(ErrorCode::DeviceError, describe(node).to_string(), ": ", error.what());
  }
}

void Plan::bind() {
  int node = 0;
  try {
    for (; node < static_cast<int>(kernels_.size()); ++node) {
      Bindings bindings;
      for (int tensor : desc_.nodes[node].reads) bindings.reads.push_back(address(tensor));
      for (int tensor : desc_.nodes[node].writes) bindings.writes.push_back(address(tensor));
      if (requirements_[node].scratchpad > 0)
        bindings.scratchpad = static_cast<std::byte*>(arena_->memory()) + memory_.scratchpads[node];
      bindings.packed = packed_[node];
      bindings.step = params_.get();
      kernels_[node]->bind(bindings);
    }
  } catch (...) {
    rethrow_at(node);
  }
  bound_generation_ = arena_->generation();
}

void Plan::pack() {
  int node = 0;
  try {
    for (; node < static_cast<int>(kernels_.size()); ++node)
      if (requirements_[node].packed > 0) kernels_[node]->pack();
  } catch (...) {
    rethrow_at(node);
  }
  packed_version_ = store_->version();
}

void Plan::set_resident(int tensor, const std::vector<std::byte>& bytes) {
  if (!own_[tensor]) own_[tensor] = backend_.allocate(desc_.tensors[tensor].desc.bytes());
  check(bytes.size() == desc_.tensors[tensor].desc.bytes(), "resident '", desc_.tensors[tensor].name, "' has another size");
  backend_.upload(own_[tensor], bytes.data(), bytes.size());
}

RunResult Plan::run(const RunRequest& request, const std::atomic<bool>& abort) {
  ensure_memory();
  if (packed_version_ != store_->version()) pack();
  reset_guards();

  RunResult result;
  if (request.profile) result.node_seconds.assign(kernels_.size(), 0.0);
  std::vector<double>* seconds = request.profile ? &result.node_seconds : nullptr;

  *params_ = request.params;
  params_->microCount = static_cast<std::int32_t>(request.microbatches.size());
  for (std::size_t micro = 0; micro < request.microbatches.size(); ++micro) {
    params_->micro = static_cast<std::int32_t>(micro);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::vector<std::byte>& bytes = request.microbatches[micro].at(i);
      check(bytes.size() == desc_.tensors[inputs_[i]].desc.bytes(), "input '", desc_.tensors[inputs_[i]].name, "' has another size");
      backend_.upload(own_[inputs_[i]], bytes.data(), bytes.size());
    }
    run_section(Section::gradient, &abort, seconds);
  }
  if (abort) fail(ErrorCode::Aborted, "aborted");
  // Before the update, so that one that fails halfway leaves no packed copy that counts as fresh.
  if (!steps_.empty() && steps_.back().section == Section::update) store_->changed();
  run_section(Section::update, nullptr, seconds);

  backend_.synchronize();
  for (const Output& output : desc_.outputs) {
    std::vector<std::byte> bytes(desc_.tensors[output.tensor].desc.bytes());
    backend_.download(bytes.data(), address(output.tensor), bytes.size());
    result.outputs.push_back(std::move(bytes));
  }
  return result;
}

void Plan::run_section(Section section, const std::atomic<bool>* abort, std::vector<double>* node_seconds) {
  using Clock = std::chrono::steady_clock;
  int node = 0;
  try {
    for (const Step& step : steps_) {
      if (step.section != section) continue;
      for (std::int64_t first = 0; first < step.batch; first += step.chunk) {
        if (abort && *abort) fail(ErrorCode::Aborted, "aborted");
        const std::int64_t count = std::min(step.chunk, step.batch - first);
        for (node = step.begin; node < step.end; ++node) {
          const Clock::time_point start = node_seconds ? Clock::now() : Clock::time_point();
          kernels_[node]->launch(first, count);
          if (node_seconds) (*node_seconds)[node] += std::chrono::duration<double>(Clock::now() - start).count();
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
    if (tensor < 0 || desc_.tensors[tensor].desc.dtype != DType::f32) continue;
    const TensorDesc& desc = desc_.tensors[tensor].desc;
    std::vector<float> values(static_cast<std::size_t>(desc.elements()));
    backend_.download(values.data(), address(tensor), desc.bytes());
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        fail(ErrorCode::NotFinite, "layer '", entry.name, "' (", entry.spec->name, ") is the first that is not finite: element ", i,
             " of ", to_string(desc.shape), " is ", values[i]);
  }
}

}  // namespace eraserelu
