#include "plan/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "plan/pieces.h"

namespace eraserelu {

namespace {

constexpr int kNever = -1;
constexpr std::size_t kGuardBytes = 64;
constexpr std::size_t kLargestListed = 8;

/// First and last node that touches a tensor's memory.
struct Use {
  int first = kNever;
  int last = kNever;
  void touch(int node) {
    if (first == kNever) first = node;
    last = node;
  }
};

class MemoryPlanner {
 public:
  MemoryPlanner(const PlanDesc& desc, const std::vector<Requirements>& requirements)
      : desc_(desc), requirements_(requirements), owner_(desc.tensors.size()), uses_(desc.tensors.size()),
        touches_(desc.tensors.size()), pinned_(desc.tensors.size(), false) {
    for (const TensorEntry& tensor : desc.tensors) bytes_.push_back(tensor.desc.bytes());
  }

  MemoryPlan plan() {
    resolve_views();
    number_steps();
    find_uses();
    find_chunk_tensors();
    take_in_place_chances();
    place_buffers();
    return std::move(plan_);
  }

 private:
  void resolve_views() {
    plan_.tensors.resize(desc_.tensors.size());
    for (std::size_t i = 0; i < desc_.tensors.size(); ++i) {
      int root = static_cast<int>(i);
      std::size_t offset = 0;
      while (desc_.tensors[root].place == Place::view) {
        offset += static_cast<std::size_t>(desc_.tensors[root].offset) * bytes_of(desc_.tensors[root].desc.dtype);
        root = desc_.tensors[root].of;
        check(root >= 0 && root < static_cast<int>(desc_.tensors.size()), "view of a tensor that does not exist");
      }
      const TensorEntry& entry = desc_.tensors[root];
      check(entry.place == Place::store || offset + desc_.tensors[i].desc.extent() <= entry.desc.bytes(), "view '",
            desc_.tensors[i].name, "' reaches beyond its tensor");
      check(!desc_.tensors[i].desc.pitched() || desc_.tensors[i].place == Place::view, "tensor '", desc_.tensors[i].name,
            "' has a pitch but is no part of another");
      if (entry.place == Place::store) offset += static_cast<std::size_t>(entry.offset) * sizeof(float);
      plan_.tensors[i] = {entry.place, root, false, offset};
    }
    std::iota(owner_.begin(), owner_.end(), 0);
  }

  void number_steps() {
    plan_.steps.assign(desc_.nodes.size(), 0);
    int step = 0;
    std::size_t region = 0;
    for (int node = 0; node < static_cast<int>(desc_.nodes.size()); ++node) {
      while (region < desc_.regions.size() && node >= desc_.regions[region].end) ++region;
      const bool inside = region < desc_.regions.size() && node > desc_.regions[region].begin;
      plan_.steps[node] = node == 0 || inside || requirements_[node].inRun ? step : ++step;
    }
    last_step_ = step;
  }

  void find_uses() {
    const int nodes = static_cast<int>(desc_.nodes.size());
    for (int node = 0; node < nodes; ++node) {
      for (const auto* operands : {&desc_.nodes[node].reads, &desc_.nodes[node].writes})
        for (int tensor : *operands)
          if (tensor >= 0) touch(tensor, node);
    }
    for (std::size_t i = 0; i < desc_.tensors.size(); ++i)
      if (desc_.tensors[i].whole_step) pinned_[plan_.tensors[i].root] = true;
    for (const Output& output : desc_.outputs) {
      check(!desc_.tensors[output.tensor].desc.pitched(), "output '", output.name, "' has a pitch");
      if (uses_[plan_.tensors[output.tensor].root].first != kNever) touch(output.tensor, nodes);
    }
  }

  void touch(int tensor, int node) {
    const MemoryPlan::Location& location = plan_.tensors[tensor];
    uses_[location.root].touch(node);
    if (location.place != Place::arena) return;
    const TensorDesc& desc = desc_.tensors[tensor].desc;
    const std::size_t all = desc_.tensors[location.root].desc.bytes();
    if (desc.pitched()) touches_[location.root].push_back({0, all, node});
    else touches_[location.root].push_back({location.offset, location.offset + desc.bytes(), node});
  }

  /// Those that live within one region, and whose every operand may be of one chunk.
  void find_chunk_tensors() {
    if (desc_.checked || !desc_.chunkMemory) return;
    std::vector<bool> possible(desc_.tensors.size());
    for (std::size_t i = 0; i < desc_.tensors.size(); ++i) possible[i] = desc_.tensors[i].place == Place::arena && !pinned_[i];
    for (std::size_t i = 0; i < desc_.tensors.size(); ++i)
      if (desc_.tensors[i].place == Place::view) possible[plan_.tensors[i].root] = false;
    const auto leave_out = [&](const std::vector<int>& operands, const std::vector<int>& chunk) {
      for (std::size_t i = 0; i < operands.size(); ++i)
        if (operands[i] >= 0 && std::find(chunk.begin(), chunk.end(), static_cast<int>(i)) == chunk.end()) possible[operands[i]] = false;
    };
    for (std::size_t node = 0; node < desc_.nodes.size(); ++node) {
      leave_out(desc_.nodes[node].reads, requirements_[node].chunkReads);
      leave_out(desc_.nodes[node].writes, requirements_[node].chunkWrites);
    }
    for (const Region& region : desc_.regions)
      for (int node = region.begin; node < region.end; ++node)
        for (int tensor : desc_.nodes[node].writes)
          if (tensor >= 0 && possible[tensor] && uses_[tensor].first == node && uses_[tensor].last < region.end) {
            const std::int64_t batch = desc_.tensors[tensor].desc.dim(0);
            plan_.tensors[tensor].chunk = true;
            bytes_[tensor] = bytes_[tensor] / static_cast<std::size_t>(batch) * static_cast<std::size_t>(std::min(region.chunk, batch));
          }
  }

  bool whole(int tensor) const {
    const int root = plan_.tensors[tensor].root;
    return plan_.tensors[tensor].place == Place::arena && !plan_.tensors[root].chunk && plan_.tensors[tensor].offset == 0 && !pinned_[root] &&
           desc_.tensors[tensor].desc.extent() == desc_.tensors[root].desc.bytes();
  }

  void take_in_place_chances() {
    if (desc_.checked) return;
    for (int node = 0; node < static_cast<int>(desc_.nodes.size()); ++node) {
      const NodeEntry& entry = desc_.nodes[node];
      for (auto [read, write] : requirements_[node].inPlace) {
        const int from = entry.reads[read], to = entry.writes[write];
        if (from < 0 || to < 0 || !whole(from) || !whole(to)) continue;
        const int source = plan_.tensors[from].root, target = plan_.tensors[to].root;
        const bool read_once = std::count_if(entry.reads.begin(), entry.reads.end(), [&](int tensor) {
                                 return tensor >= 0 && plan_.tensors[tensor].root == source;
                               }) == 1;
        const bool dies_here = uses_[source].last == node && uses_[source].first != node;
        const bool born_here = uses_[target].first == node && owner_[target] == target;
        const bool same_size = desc_.tensors[source].desc.bytes() == desc_.tensors[target].desc.bytes();
        if (read_once && dies_here && born_here && same_size) {
          owner_[target] = owner_[source];
          break;
        }
      }
    }
  }

  void place_buffers() {
    std::vector<Buffer> buffers;
    std::vector<std::string> names;
    std::vector<int> buffer_of(desc_.tensors.size(), kNever);
    const auto step_of = [&](int node) { return node < static_cast<int>(plan_.steps.size()) ? plan_.steps[node] : last_step_; };

    std::vector<bool> shared(desc_.tensors.size(), false);
    for (std::size_t i = 0; i < owner_.size(); ++i)
      if (owner_[i] != static_cast<int>(i)) shared[owner_[i]] = true;
    std::size_t given = 0;   // bytes from the start of the arena on where buffers have given offsets

    for (std::size_t i = 0; i < desc_.tensors.size(); ++i) {
      const bool owns = desc_.tensors[i].place == Place::arena;
      if (!owns || uses_[i].first == kNever) continue;
      const std::size_t bytes = bytes_[i];
      const bool all_along = pinned_[i] || desc_.checked;
      const int first = all_along ? 0 : step_of(uses_[i].first);
      const int last = all_along ? last_step_ : step_of(uses_[i].last);
      if (owner_[i] != static_cast<int>(i)) {
        late_.push_back({static_cast<int>(i), first, last});
        continue;
      }
      buffer_of[i] = static_cast<int>(buffers.size());
      const std::vector<Piece> pieces = all_along || shared[i] ? std::vector<Piece>() : pieces_of(desc_.tensors[i].desc.bytes(), touches_[i]);
      if (pieces.size() < 2) {
        buffers.push_back({bytes, first, last});
        names.push_back(desc_.tensors[i].name);
        continue;
      }
      for (const Piece& piece : pieces) {
        buffers.push_back({piece.end - piece.begin, step_of(piece.first), step_of(piece.last), given + piece.begin});
        names.push_back(desc_.tensors[i].name);
      }
      given += (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
    }
    for (const Late& late : late_) {
      Buffer& buffer = buffers[buffer_of[owner_[late.tensor]]];
      buffer.first = std::min(buffer.first, late.first);
      buffer.last = std::max(buffer.last, late.last);
    }
    const std::size_t scratchpads_from = buffers.size();
    for (std::size_t node = 0; node < desc_.nodes.size(); ++node) {
      const int step = plan_.steps[node];
      buffers.push_back({requirements_[node].scratchpad, desc_.checked ? 0 : step, desc_.checked ? last_step_ : step});
      names.push_back(desc_.nodes[node].name + " (" + desc_.nodes[node].spec->name + ") scratchpad");
    }

    plan_.guard = desc_.checked ? kGuardBytes : 0;
    plan_.arena = plan_arena(buffers, plan_.guard);

    for (std::size_t i = 0; i < desc_.tensors.size(); ++i) {
      MemoryPlan::Location& location = plan_.tensors[i];
      if (location.place == Place::arena && buffer_of[owner_[location.root]] != kNever)
        location.offset += plan_.arena.offsets[buffer_of[owner_[location.root]]];
    }
    for (std::size_t node = 0; node < desc_.nodes.size(); ++node)
      plan_.scratchpads.push_back(plan_.arena.offsets[scratchpads_from + node]);
    if (plan_.guard > 0)
      for (std::size_t i = 0; i < buffers.size(); ++i)
        if (buffers[i].bytes > 0) plan_.guards.push_back(plan_.arena.offsets[i] + buffers[i].bytes);
    list_largest(buffers, names);
  }

  void list_largest(const std::vector<Buffer>& buffers, const std::vector<std::string>& names) {
    std::vector<std::size_t> alive(static_cast<std::size_t>(last_step_) + 1, 0);
    for (const Buffer& buffer : buffers)
      for (int step = buffer.first; step <= buffer.last; ++step) alive[step] += buffer.bytes;
    const int peak = static_cast<int>(std::max_element(alive.begin(), alive.end()) - alive.begin());
    for (std::size_t i = 0; i < buffers.size(); ++i)
      if (buffers[i].first <= peak && peak <= buffers[i].last && buffers[i].bytes > 0)
        plan_.largest.emplace_back(names[i], buffers[i].bytes);
    std::stable_sort(plan_.largest.begin(), plan_.largest.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (plan_.largest.size() > kLargestListed) plan_.largest.resize(kLargestListed);
  }

  struct Late {
    int tensor;
    int first;
    int last;
  };

  const PlanDesc& desc_;
  const std::vector<Requirements>& requirements_;
  std::vector<int> owner_;   // root -> the root whose buffer it takes (itself unless in place)
  std::vector<Use> uses_;    // by root
  std::vector<std::size_t> bytes_;   // that a tensor takes
  std::vector<std::vector<Touch>> touches_;   // by root
  std::vector<bool> pinned_;
  std::vector<Late> late_;
  int last_step_ = 0;
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const PlanDesc& desc, const std::vector<Requirements>& requirements) {
  return MemoryPlanner(desc, requirements).plan();
}

}  // namespace eraserelu
