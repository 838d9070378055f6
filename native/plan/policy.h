// How kernels may be chosen where a backend has several: what a plan's owner asks of its engines. Backends without a choice ignore it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace eraserelu {

/// What is computed, on one line → the name of the engine that was taken for it after a timing.
using EngineChoices = std::map<std::string, std::string>;

struct Policy {
  bool deterministic = true;          // the same bytes in give the same bytes out
  bool autotune = false;              // time the candidates and keep the fastest
  EngineChoices choices;              // under autotune: of an earlier run, taken again without a timing where they can be used
  bool tf32 = false;                  // f32 convolutions may round their operands to TF32
  bool ownConvolutions = true;        // the CPU may compute convolutions in f32 by kernels of its own, which round otherwise
  std::int64_t workspaceLimit = -1;   // most bytes of scratchpad that a library engine may take; -1: no limit
};

}  // namespace eraserelu
