// Whether a plan fits into the device's memory, told before anything is allocated, and the batch that would fit.
#include <algorithm>

#include "base/error.h"
#include "plan/plan.h"

namespace eraserelu {

namespace {

/// The same plan for another batch: everything that has the batch as its first dimension, and the views of it, gets `to` images.
PlanDesc with_batch(const PlanDesc& desc, std::int64_t from, std::int64_t to) {
  PlanDesc scaled = desc;
  const auto grows = [&](const TensorEntry& entry) {
    const bool planned = entry.place == Place::arena || entry.place == Place::input;
    return planned && !entry.desc.shape.empty() && entry.desc.shape[0] == from;
  };
  for (std::size_t i = 0; i < desc.tensors.size(); ++i) {
    const TensorEntry* root = &desc.tensors[i];
    while (root->place == Place::view) root = &desc.tensors[root->of];
    if (!grows(*root)) continue;
    TensorEntry& entry = scaled.tensors[i];
    if (entry.place == Place::view) {
      entry.desc.shape = {entry.desc.elements() * to / from};
      entry.offset = entry.offset * to / from;
    } else {
      entry.desc.shape[0] = to;
    }
  }
  return scaled;
}

}  // namespace

std::size_t Plan::bytes_of_own(const PlanDesc& desc) const {
  std::size_t bytes = 0;
  for (const auto* tensors : {&inputs_, &residents_})
    for (int tensor : *tensors)
      if (!own_[tensor]) bytes += desc.tensors[tensor].desc.bytes();
  if (!allocated_ && backend_.has_transfers())
    for (int tensor : inputs_) bytes += desc.tensors[tensor].desc.bytes();
  for (std::size_t node = 0; node < requirements_.size(); ++node)
    if (!packed_[node]) bytes += requirements_[node].packed;
  return bytes;
}

std::size_t Plan::batch_that_fits(std::size_t room) const {
  const Shape* first = inputs_.empty() ? nullptr : &desc_.tensors[inputs_[0]].desc.shape;
  if (!first || first->empty()) return 0;
  const std::int64_t batch = (*first)[0];
  std::int64_t fits = 0, too_large = batch;
  while (too_large - fits > 1) {
    const std::int64_t middle = (fits + too_large) / 2;
    const PlanDesc scaled = with_batch(desc_, batch, middle);
    const bool enough = plan_memory(scaled, requirements_).arena.bytes + bytes_of_own(scaled) <= room;
    (enough ? fits : too_large) = middle;
  }
  return static_cast<std::size_t>(fits);
}

std::string Plan::largest_tensors() const {
  std::string text;
  for (const auto& [name, bytes] : memory_.largest) text += (text.empty() ? "" : ", ") + name + " (" + std::to_string(bytes) + ")";
  return text;
}

void Plan::require_room() const {
  const std::size_t free = backend_.free_memory();
  if (free == Backend::kUnknown) return;
  // A larger arena takes the place of the one that is there.
  const std::size_t room = memory_.arena.bytes > arena_->bytes() ? free + arena_->bytes() : free;
  const std::size_t activations = memory_.arena.bytes > arena_->bytes() ? memory_.arena.bytes : 0;
  const std::size_t own = bytes_of_own(desc_);
  if (activations + own <= room) return;
  const std::size_t fits = batch_that_fits(room);
  fail(ErrorCode::OutOfMemory, "the plan does not fit, and nothing was allocated for it: it needs ", activations + own, " bytes (",
       activations, " of activations, ", own, " of inputs, data set and packed weights) and ", room, " are free on device '",
       backend_.info().name, "'. Largest tensors: ", largest_tensors(), ". ",
       fits > 0 ? "A batch of about " + std::to_string(fits) + " would fit (estimated)." : "No batch would fit: use a smaller model or smaller images.");
}

}  // namespace eraserelu
