// Stacks for fibers, each behind a page that nobody may touch, reused last in, first out.
#pragma once

#include <cstddef>
#include <vector>

namespace simulated_gpu {

class Stacks {
 public:
  static constexpr std::size_t size = 64 << 10;

  std::byte* take();
  void give_back(std::byte* stack) { free_.push_back(stack); }

 private:
  std::vector<std::byte*> free_;
};

}  // namespace simulated_gpu
