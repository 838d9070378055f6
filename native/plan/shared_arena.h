// The one block of planned memory that all plans of a device use in turn: a runner executes one plan at a time, and nothing
// in it outlives a run. Sized to the largest plan in use; used only on the device's runner thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include "backend/backend.h"

namespace eraserelu {

class SharedArena {
 public:
  explicit SharedArena(Backend& backend) : backend_(backend) {}
  ~SharedArena() { backend_.release(memory_); }
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  /// Makes room for `bytes`, on behalf of `user`. May move the arena: compare generation() with that of the last bind.
  void reserve(const void* user, std::size_t bytes);
  /// Forgets `user`; frees the memory when it was the last.
  void leave(const void* user);

  void* memory() const { return memory_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t generation() const { return generation_; }

 private:
  void resize(std::size_t bytes);

  Backend& backend_;
  std::set<const void*> users_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t generation_ = 1;   // 0: never bound
};

}  // namespace eraserelu
