// The number of events, for the leak report.
#pragma once

#include <cstddef>

namespace simulated_cuda {

std::size_t live_events();

}  // namespace simulated_cuda
