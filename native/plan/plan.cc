// Preparation of a plan: kernels, memory, addresses. plan_run.cc runs it.
#include "plan/plan.h"

#include <algorithm>
#include <map>
#include <new>

#include "base/error.h"
#include "plan/op_checks.h"

namespace eraserelu {

namespace {
/// Whether each run reads a filter once and then changes it: so does a training step of one microbatch. A copy of it in another layout
/// is then needed for one launch, and as well made in that launch, in the scratchpad.
bool changes_after_one_reading(const PlanDesc& desc) {
  const bool updates = std::any_of(desc.nodes.begin(), desc.nodes.end(), [](const NodeEntry& node) { return node.section == Section::update; });
  const bool adds_up = std::any_of(desc.tensors.begin(), desc.tensors.end(), [](const TensorEntry& tensor) { return tensor.whole_step; });
  return updates && !adds_up;
}
}  // namespace

Plan::Plan(PlanDesc desc, std::shared_ptr<Store> store, std::shared_ptr<SharedArena> arena, const PrepareProgress& progress)
    : desc_(std::move(desc)), store_(std::move(store)), arena_(std::move(arena)), backend_(store_->backend()),
      own_(desc_.tensors.size(), nullptr), packed_(desc_.nodes.size(), nullptr), input_queue_(backend_), params_queue_(backend_) {
  for (std::size_t i = 0; i < desc_.tensors.size(); ++i) {
    if (desc_.tensors[i].place == Place::input) inputs_.push_back(static_cast<int>(i));
    if (desc_.tensors[i].place == Place::resident) residents_.push_back(static_cast<int>(i));
  }
  keeps_packed_ = !changes_after_one_reading(desc_);
  prepare(progress);
  make_steps();
  memory_ = plan_memory(desc_, requirements_);
}

Plan::~Plan() {
  arena_->leave(this);
  for (void* memory : own_) backend_.release(memory);
  for (void* memory : packed_) backend_.release(memory);
  backend_.release(params_);
}

namespace {
/// What the address of a tensor is a multiple of. Blocks of memory begin at multiples of 64 bytes; views and what is in the store lie
/// anywhere in them.
std::int64_t alignment_of(const PlanDesc& desc, int tensor) {
  const TensorEntry* entry = &desc.tensors[tensor];
  const std::int64_t before = entry->place == Place::view ? alignment_of(desc, entry->of) : TensorDesc().alignment;
  const std::int64_t offset = entry->offset * static_cast<std::int64_t>(bytes_of(entry->desc.dtype));
  return offset == 0 ? before : std::min(before, offset & -offset);
}
}  // namespace

OpDesc Plan::describe(int node) const {
  const NodeEntry& entry = desc_.nodes[node];
  OpDesc op;
  op.spec = entry.spec;
  op.node = entry.name;
  op.attributes = entry.attributes;
  const auto list = [this](const std::vector<int>& tensors) {
    std::vector<TensorDesc> descs;
    for (int tensor : tensors) {
      TensorDesc& operand = descs.emplace_back();
      operand.present = tensor >= 0;
      if (!operand.present) continue;
      operand = desc_.tensors[tensor].desc;
      operand.alignment = alignment_of(desc_, tensor);
      operand.parameter = operand.parameter && keeps_packed_;
    }
    return descs;
  };
  op.reads = list(entry.reads);
  op.writes = list(entry.writes);
  for (const Region& region : desc_.regions)
    if (node >= region.begin && node < region.end) op.chunk = region.chunk;
  return op;
}

OpDesc Plan::checked(int node) const {
  const OpDesc op = describe(node);
  check_shapes(op, backend_.has_transfers());
  check_in_place(op, desc_.nodes[node].reads, desc_.nodes[node].writes);
  return op;
}

bool Plan::is_run(int node) const {
  if (desc_.checked || node + 1 >= static_cast<int>(desc_.nodes.size())) return false;
  const NodeEntry &first = desc_.nodes[node], &second = desc_.nodes[node + 1];
  if (first.section != second.section || describe(node).chunk > 0 || describe(node + 1).chunk > 0) return false;
  std::map<std::string, int> tensors;
  const auto agree = [&tensors](const char* names, const std::vector<int>& operands) {
    const std::vector<OperandName> list = operand_names(names);
    for (std::size_t i = 0; i < list.size() && i < operands.size(); ++i)
      if (tensors.emplace(list[i].name, operands[i]).first->second != operands[i]) return false;
    return true;
  };
  if (second.spec->name == std::string_view("add") &&
      !(second.reads.size() == 2 && second.reads[1] == first.writes[0] && is_read_once(first.writes[0])))
    return false;
  return agree(first.spec->reads, first.reads) && agree(first.spec->writes, first.writes) && agree(second.spec->reads, second.reads);
}

bool Plan::is_read_once(int tensor) const {
  const auto shows = [&](int other) {
    while (other >= 0 && other != tensor) other = desc_.tensors[other].place == Place::view ? desc_.tensors[other].of : -1;
    return other == tensor;
  };
  std::ptrdiff_t readings = 0;
  for (const NodeEntry& node : desc_.nodes) readings += std::count_if(node.reads.begin(), node.reads.end(), shows);
  for (const Output& output : desc_.outputs) readings += shows(output.tensor);
  return desc_.tensors[tensor].place == Place::arena && readings == 1;
}

void Plan::prepare(const PrepareProgress& progress) {
  const std::size_t total = desc_.nodes.size();
  while (kernels_.size() < total) {
    const int node = static_cast<int>(kernels_.size());
    const OpDesc op = checked(node);
    std::vector<std::unique_ptr<Kernel>> kernels;
    if (is_run(node)) kernels = backend_.prepare_run(op, checked(node + 1), desc_.policy);
    if (kernels.empty()) kernels.push_back(backend_.prepare(op, desc_.policy));
    for (std::unique_ptr<Kernel>& kernel : kernels) {
      requirements_.push_back(kernel->requirements());
      kernels_.push_back(std::move(kernel));
      if (progress) progress(kernels_.size(), total);
    }
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
  for (int tensor : inputs_) memory.inputs += desc_.tensors[tensor].desc.bytes() * (backend_.has_transfers() ? 2 : 1);
  for (int tensor : residents_) memory.resident += desc_.tensors[tensor].desc.bytes();
  for (const Requirements& need : requirements_) memory.packed += need.packed;
  return memory;
}

std::vector<std::string> Plan::engines() const {
  std::vector<std::string> names;
  for (const Requirements& need : requirements_) names.push_back(need.engine);
  return names;
}

std::vector<std::string> Plan::notes() const {
  std::vector<std::string> notes;
  for (const Requirements& need : requirements_)
    for (const std::string& note : need.notes)
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  return notes;
}

EngineChoices Plan::choices() const {
  EngineChoices choices;
  for (const Requirements& need : requirements_) choices.insert(need.choices.begin(), need.choices.end());
  return choices;
}

void Plan::ensure_memory() {
  if (!allocated_ || memory_.arena.bytes > arena_->bytes()) require_room();
  try {
    for (const auto* tensors : {&inputs_, &residents_})
      for (int tensor : *tensors)
        if (!own_[tensor]) own_[tensor] = backend_.allocate(desc_.tensors[tensor].desc.bytes());
    for (std::size_t node = 0; node < kernels_.size(); ++node)
      if (requirements_[node].packed > 0 && !packed_[node]) packed_[node] = backend_.allocate(requirements_[node].packed);
    if (!params_) params_ = static_cast<StepParams*>(backend_.allocate(sizeof(StepParams)));
    arena_->reserve(this, memory_.arena.bytes);
    if (!allocated_) open_ways();
    allocated_ = true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::OutOfMemory) throw;
    std::string message = error.what();
    message += "; the plan needs " + std::to_string(memory_.arena.bytes) + " bytes of activations. Largest tensors: ";
    fail(ErrorCode::OutOfMemory, message, largest_tensors(), ". Use a smaller batch.");
  }
  if (bound_generation_ != arena_->generation()) bind();
}

void Plan::open_ways() {
  std::vector<Extent> destinations;
  for (int tensor : inputs_) destinations.push_back({own_[tensor], desc_.tensors[tensor].desc.bytes()});
  input_queue_.open(destinations);
  params_queue_.open({{params_, sizeof(StepParams)}});
  std::size_t bytes = 0;
  for (const Output& output : desc_.outputs) bytes += desc_.tensors[output.tensor].desc.bytes();
  if (bytes > 0) outlet_ = backend_.outlet(bytes);
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
      const auto of_chunk = [&](const std::vector<int>& operands, const std::vector<int>& offered) {
        std::vector<int> found;
        for (int operand : offered)
          if (operands[operand] >= 0 && memory_.tensors[operands[operand]].chunk) found.push_back(operand);
        return found;
      };
      bindings.chunkReads = of_chunk(desc_.nodes[node].reads, requirements_[node].chunkReads);
      bindings.chunkWrites = of_chunk(desc_.nodes[node].writes, requirements_[node].chunkWrites);
      if (requirements_[node].scratchpad > 0)
        bindings.scratchpad = static_cast<std::byte*>(arena_->memory()) + memory_.scratchpads[node];
      bindings.packed = packed_[node];
      bindings.step = params_;
      kernels_[node]->bind(bindings);
    }
  } catch (...) {
    rethrow_at(node);
  }
  outputs_.clear();
  for (const Output& output : desc_.outputs) outputs_.push_back({address(output.tensor), desc_.tensors[output.tensor].desc.bytes()});
  parts_ = {};
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
  if (!own_[tensor]) {
    require_room();
    own_[tensor] = backend_.allocate(desc_.tensors[tensor].desc.bytes());
  }
  check(bytes.size() == desc_.tensors[tensor].desc.bytes(), "resident '", desc_.tensors[tensor].name, "' has another size");
  backend_.upload(own_[tensor], bytes.data(), bytes.size());
}

}  // namespace eraserelu
