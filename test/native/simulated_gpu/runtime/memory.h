// Simulated memory. Each allocation ends at a page that nobody may touch, and begins behind one; what lies between it and these
// pages has a known pattern. Device memory can be touched only while device work of its device runs; fresh memory is poisoned.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace simulated_cuda {

enum class Kind { device, pinned };

struct Allocation {
  Kind kind;
  int device;
  std::byte* begin;
  std::size_t size;
  std::byte* mapping;         // guard page, pages with the allocation at their end, guard page
  std::size_t mapping_size;
  bool live = true;           // a freed allocation keeps its addresses for ever, so that a late use is found
};

constexpr unsigned char poison = 0xCB;

/// nullptr when the device has too little memory left.
void* allocate(Kind kind, int device, std::size_t size);

/// False when nothing of this kind begins there.
bool release(Kind kind, void* begin);

/// The live allocation an address lies in; nullptr if there is none.
const Allocation* find_allocation(const void* address);

/// The allocation, live or freed, whose mapping an address lies in; for messages. Takes no lock and allocates nothing.
const Allocation* find_mapping(const void* address);

/// "0x7f..: offset 12 of a freed 1000-byte allocation of device 0", or "...: not memory of a device".
std::string describe(const void* address);

/// Whether device work of `device` may touch all of [begin, begin + bytes).
bool is_accessible(int device, const void* begin, std::size_t bytes);

/// Lets work of one device touch its memory; -1: of none. Each allocation is opened when it is touched (open_touched): most work touches few.
void open_memory(int device);
int opened_device();

/// Opens the allocation that device work has just touched; false if it may not, or could already. For the handler of SIGSEGV.
bool open_touched(const void* address);

/// Says which allocation was written outside its bounds by device work since open_memory; "" if none was.
std::string overwritten();

struct MemoryUse {
  std::size_t free, total;
};
MemoryUse memory_use(int device);
void set_total_memory(std::size_t bytes);
std::vector<const Allocation*> live_allocations();

}  // namespace simulated_cuda
