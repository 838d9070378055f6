// Inlets and outlets of a GPU: two slots of pinned memory each, and events that order the copy stream and the compute stream.
#pragma once

#include <memory>
#include <vector>

#include "backend/transfers.h"
#include "cuda/device.h"

namespace eraserelu::cuda {

/// `device` outlives it. Allocates: OutOfMemory when there is no room.
std::unique_ptr<Inlet> make_inlet(const Device& device, const std::vector<Extent>& destinations);
std::unique_ptr<Outlet> make_outlet(const Device& device, std::size_t bytes);

}  // namespace eraserelu::cuda
