#include "plan/shared_arena.h"

namespace eraserelu {

void SharedArena::resize(std::size_t bytes) {
  backend_.release(memory_);
  memory_ = nullptr;
  bytes_ = 0;
  ++generation_;
  if (bytes == 0) return;
  memory_ = backend_.allocate(bytes);
  bytes_ = bytes;
}

void SharedArena::reserve(const void* user, std::size_t bytes) {
  if (bytes > bytes_) resize(bytes);
  users_.insert(user);
}

void SharedArena::leave(const void* user) {
  if (users_.erase(user) && users_.empty()) resize(0);
}

}  // namespace eraserelu
