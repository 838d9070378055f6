// What a plan is made from, as TypeScript describes it (src/runtime/plan_desc.ts); decoded by native/binding/decode.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/op_desc.h"
#include "plan/policy.h"

namespace eraserelu {

/// Where a tensor of a plan lives.
enum class Place {
  arena,      // planned memory, shared by all plans of the device
  view,       // `offset` elements into another tensor, with a pixel pitch of its own where the descriptor says so
  store,      // `offset` elements into an arena of the store
  input,      // filled by the host before each run
  resident,   // filled by the host once
};

struct TensorEntry {
  std::string name;
  TensorDesc desc;
  Place place = Place::arena;
  int of = -1;                // view: of which tensor
  std::int64_t offset = 0;    // view, store: elements
  std::string arena;          // store: which arena
  bool whole_step = false;    // keeps its bytes from the first microbatch to the end of the step
};

enum class Section { gradient, update };

struct NodeEntry {
  std::string name;
  const OpSpec* spec = nullptr;
  Section section = Section::gradient;
  std::vector<int> reads;    // tensor numbers by position; -1: absent
  std::vector<int> writes;
  Attributes attributes;
};

/// Nodes [begin, end) run chunk by chunk over the batch.
struct Region {
  int begin = 0;
  int end = 0;
  std::int64_t chunk = 0;
};

struct Output {
  std::string name;
  int tensor = -1;
};

struct PlanDesc {
  bool checked = false;
  Policy policy;
  std::vector<TensorEntry> tensors;
  std::vector<NodeEntry> nodes;
  std::vector<Region> regions;
  bool chunkMemory = true;   // a tensor that lives within one region may take memory for a chunk of it
  std::vector<Output> outputs;
};

}  // namespace eraserelu
