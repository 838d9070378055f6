// Decides where every tensor and scratchpad of a plan lives, before anything is allocated: resolves views, gives
// tensors of one region the memory of a chunk, takes the in-place chances that kernels offer, derives lifetimes and places the buffers in the arena. In checked mode no two buffers
// share memory, and a guard stands behind each.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "plan/arena_planner.h"
#include "plan/plan_desc.h"

namespace eraserelu {

struct MemoryPlan {
  /// Where one tensor's bytes are.
  struct Location {
    Place place = Place::arena;   // never view: views are resolved
    int root = -1;                // the tensor that owns the memory
    bool chunk = false;           // the memory holds the images of one chunk of a region, one chunk after the other
    std::size_t offset = 0;       // bytes from the start of the arena (arena), the store's arena (store) or the root
  };
  std::vector<Location> tensors;
  std::vector<std::size_t> scratchpads;   // arena offset, one a node
  std::vector<int> steps;                 // one a node: nodes of a region share a step
  ArenaPlan arena;
  std::vector<std::pair<std::string, std::size_t>> largest;   // the largest arena buffers alive at the peak, descending
  std::size_t guard = 0;
  /// Arena ranges [begin, begin + guard) behind each buffer (checked mode).
  std::vector<std::size_t> guards;
};

MemoryPlan plan_memory(const PlanDesc& desc, const std::vector<Requirements>& requirements);

}  // namespace eraserelu
