// The attributes of bnRunningUpdate as one record a layer.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/running_range.h"
#include "plan/op_desc.h"

namespace eraserelu {

/// Throws InvalidArgument where `ranges`, `momentum` and `count` do not belong together.
inline std::vector<RunningRange> running_ranges(const Attributes& attributes) {
  const std::vector<std::int64_t> quadruples = attributes.integers("ranges");
  const std::vector<double>&momentum = attributes.numbers("momentum"), &count = attributes.numbers("count");
  if (quadruples.size() != 4 * momentum.size() || momentum.size() != count.size())
    fail(ErrorCode::InvalidArgument, "ranges must hold four numbers a layer, momentum and count one each; they hold ",
         quadruples.size(), ", ", momentum.size(), " and ", count.size());
  std::vector<RunningRange> ranges;
  for (std::size_t i = 0; i < momentum.size(); ++i) {
    const std::int64_t* of = &quadruples[4 * i];
    ranges.push_back({of[0], of[1], of[2], of[3], momentum[i], count[i]});
  }
  return ranges;
}

}  // namespace eraserelu
