// Where the statistics of one batch-norm layer lie among those of all: what bnRunningUpdate works through, on every backend.
#pragma once

#include <cstdint>

namespace eraserelu {

/// Offsets count elements.
struct RunningRange {
  std::int64_t statistics;   // of the batch's means; the variances follow them
  std::int64_t mean;         // in `running`
  std::int64_t variance;     // in `running`
  std::int64_t channels;
  double momentum;
  double count;              // values a channel in the batch
};

}  // namespace eraserelu
