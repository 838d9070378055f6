// Shared memory that finds races. Every element remembers who wrote and read it last, and between which barriers; an access by
// another thread with no barrier between (__syncthreads, or __syncwarp of the whole warp) ends the grid, whatever the order of
// the threads. So does the use of an element that no thread of the block has written, and an index out of bounds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "block.h"

namespace simulated_gpu {

/// The accesses to one element.
struct Cell {
  std::uint32_t write_epoch = 0;
  std::uint32_t write_warp_epoch = 0;
  std::uint32_t read_epoch = 0;
  std::uint32_t read_warp_epoch = 0;
  std::uint16_t writer = 0;
  std::uint16_t reader = 0;   // a thread, or one of the marks for several
};

void note_read(Cell& cell, const char* name, std::ptrdiff_t index);
void note_write(Cell& cell, const char* name, std::ptrdiff_t index);
[[noreturn]] void fail_out_of_bounds(const char* name, std::ptrdiff_t index, std::ptrdiff_t size);

/// Stands for an element: reading and writing it is noted.
template <typename T>
class SharedElement {
 public:
  SharedElement(T& value, Cell& cell, const char* name, std::ptrdiff_t index)
      : value_(value), cell_(cell), name_(name), index_(index) {}

  operator T() const {
    note_read(cell_, name_, index_);
    return value_;
  }
  SharedElement& operator=(T value) {
    note_write(cell_, name_, index_);
    value_ = value;
    return *this;
  }
  SharedElement& operator=(const SharedElement& other) { return *this = static_cast<T>(other); }
  SharedElement& operator+=(T value) { return *this = static_cast<T>(*this) + value; }

 private:
  T& value_;
  Cell& cell_;
  const char* name_;
  std::ptrdiff_t index_;
};

/// Stands for a pointer into shared memory.
template <typename T>
class SharedPointer {
 public:
  SharedPointer(T* values, Cell* cells, std::ptrdiff_t size, const char* name, std::ptrdiff_t offset = 0)
      : values_(values), cells_(cells), size_(size), name_(name), offset_(offset) {}

  SharedElement<T> operator[](std::ptrdiff_t index) const {
    const std::ptrdiff_t at = offset_ + index;
    if (at < 0 || at >= size_) fail_out_of_bounds(name_, at, size_);
    return {values_[at], cells_[at], name_, at};
  }
  SharedElement<T> operator*() const { return (*this)[0]; }
  SharedPointer operator+(std::ptrdiff_t offset) const { return {values_, cells_, size_, name_, offset_ + offset}; }

 private:
  T* values_;
  Cell* cells_;
  std::ptrdiff_t size_;
  const char* name_;
  std::ptrdiff_t offset_;
};

/// The memory of a shared array. One block runs at a time, so it can be a static variable.
template <typename T, std::size_t size>
struct SharedStorage {
  SharedPointer<T> pointer(const char* name) { return {values, cells, static_cast<std::ptrdiff_t>(size), name}; }

  T values[size];
  Cell cells[size];
};

/// Memory for the dynamic shared array of the block, with a cell for each element of this size.
struct DynamicShared {
  void* values;
  Cell* cells;
};
DynamicShared dynamic_shared(std::size_t element_size);

template <typename T>
SharedPointer<T> dynamic_shared_array(const char* name) {
  const DynamicShared memory = dynamic_shared(sizeof(T));
  return {static_cast<T*>(memory.values), memory.cells, static_cast<std::ptrdiff_t>(block.dynamic_shared / sizeof(T)), name};
}

}  // namespace simulated_gpu

#define SHARED_ARRAY(T, name, size)                             \
  static ::simulated_gpu::SharedStorage<T, size> name##_storage; \
  const ::simulated_gpu::SharedPointer<T> name = name##_storage.pointer(#name)
#define DYN_SHARED(T, name) const ::simulated_gpu::SharedPointer<T> name = ::simulated_gpu::dynamic_shared_array<T>(#name)
