// The registry of allocations and their protection.
#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

namespace simulated_cuda {
namespace {

constexpr std::size_t alignment = 256;
constexpr std::byte canary{0xA5};
const std::size_t pageSize = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

// By the beginning of the mapping: all that ever were, and those of them that are live. Never destroyed: other threads may still be at
// work when the process ends.
std::map<const std::byte*, Allocation>& allocations = *new std::map<const std::byte*, Allocation>;
std::map<const std::byte*, const Allocation*>& live = *new std::map<const std::byte*, const Allocation*>;
int openedDevice = -1;
std::vector<const Allocation*> opened;   // what work of that device has touched; nothing else of it can be touched

std::size_t& total_memory() {
  static const char* const text = std::getenv("SIM_MEMORY");
  static std::size_t total = text == nullptr ? std::size_t{8} << 30 : std::strtoull(text, nullptr, 10);
  return total;
}

std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

std::byte* inside(const Allocation& each) { return each.mapping + pageSize; }
std::size_t inside_size(const Allocation& each) { return each.mapping_size - 2 * pageSize; }

void protect(const Allocation& each, int protection) {
  if (mprotect(inside(each), inside_size(each), protection) != 0) {
    std::perror("simulated GPU: mprotect");
    std::abort();
  }
}

bool is_canary(const std::byte* begin, const std::byte* end) {
  if (begin == end) return true;
  const bool all_alike = std::memcmp(begin, begin + 1, static_cast<std::size_t>(end - begin) - 1) == 0;
  return all_alike && *begin == canary;
}

bool is_overwritten(const Allocation& each) {
  return !is_canary(inside(each), each.begin) || !is_canary(each.begin + each.size, inside(each) + inside_size(each));
}

}  // namespace

void* allocate(Kind kind, int device, std::size_t size) {
  if (kind == Kind::device && size > memory_use(device).free) return nullptr;
  const std::size_t rounded = round_up(size, alignment);
  const std::size_t pages = round_up(rounded, pageSize);
  const std::size_t whole = pages + 2 * pageSize;
  void* mapped = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const mapping = static_cast<std::byte*>(mapped);
  const Allocation made{kind, device, mapping + pageSize + pages - rounded, size, mapping, whole};
  protect(made, PROT_READ | PROT_WRITE);
  std::memset(inside(made), static_cast<int>(canary), pages);
  std::memset(made.begin, poison, size);
  if (kind == Kind::device) protect(made, PROT_NONE);
  live.insert_or_assign(mapping, &allocations.insert_or_assign(mapping, made).first->second);
  return made.begin;
}

bool release(Kind kind, void* begin) {
  Allocation* const found = const_cast<Allocation*>(find_allocation(begin));
  if (found == nullptr || found->kind != kind || found->begin != begin) return false;
  found->live = false;
  opened.erase(std::remove(opened.begin(), opened.end(), found), opened.end());
  live.erase(found->mapping);
  mmap(found->mapping, found->mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  return true;
}

const Allocation* find_mapping(const void* address) {
  const auto* const at = static_cast<const std::byte*>(address);
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) return nullptr;
  const Allocation& each = std::prev(after)->second;
  return at < each.mapping + each.mapping_size ? &each : nullptr;
}

const Allocation* find_allocation(const void* address) {
  const Allocation* each = find_mapping(address);
  const auto* const at = static_cast<const std::byte*>(address);
  return each != nullptr && each->live && at >= each->begin && at < each->begin + each->size ? each : nullptr;
}

std::string describe(const void* address) {
  char text[200];
  const Allocation* each = find_mapping(address);
  if (each == nullptr) {
    std::snprintf(text, sizeof text, "%p, which is not memory of a device", address);
    return text;
  }
  const std::ptrdiff_t offset = static_cast<const std::byte*>(address) - each->begin;
  const char* const state = each->live ? "" : "freed ";
  const char* const kind = each->kind == Kind::device ? "device" : "pinned";
  std::snprintf(text, sizeof text, "%p, offset %td of a %s%zu-byte allocation of %s memory (device %d)", address, offset, state,
                each->size, kind, each->device);
  return text;
}

bool is_accessible(int device, const void* begin, std::size_t bytes) {
  const Allocation* each = find_allocation(begin);
  if (each == nullptr || (each->kind == Kind::device && each->device != device)) return false;
  return bytes <= static_cast<std::size_t>(each->begin + each->size - static_cast<const std::byte*>(begin));
}

void open_memory(int device) {
  if (device == openedDevice) return;
  for (const Allocation* each : opened) protect(*each, PROT_NONE);
  opened.clear();
  openedDevice = device;
}

bool open_touched(const void* address) {
  const Allocation* each = find_mapping(address);
  if (each == nullptr || !each->live || each->kind != Kind::device || each->device != openedDevice) return false;
  const auto* const at = static_cast<const std::byte*>(address);
  if (at < inside(*each) || at >= inside(*each) + inside_size(*each)) return false;
  if (std::find(opened.begin(), opened.end(), each) != opened.end()) return false;
  protect(*each, PROT_READ | PROT_WRITE);
  opened.push_back(each);
  return true;
}

int opened_device() { return openedDevice; }

std::string overwritten() {
  std::vector<const Allocation*> touchable = opened;
  for (const auto& [mapping, each] : live)
    if (each->kind == Kind::pinned) touchable.push_back(each);
  for (const Allocation* each : touchable)
    if (is_overwritten(*each)) return "device work wrote outside a " + std::to_string(each->size) + "-byte allocation";
  return "";
}

MemoryUse memory_use(int device) {
  std::size_t used = 0;
  for (const auto& [mapping, each] : live)
    if (each->kind == Kind::device && each->device == device) used += round_up(each->size, alignment);
  const std::size_t total = total_memory();
  return {used < total ? total - used : 0, total};
}

void set_total_memory(std::size_t bytes) { total_memory() = bytes; }

std::vector<const Allocation*> live_allocations() {
  std::vector<const Allocation*> all;
  for (const auto& [mapping, each] : live) all.push_back(each);
  return all;
}

}  // namespace simulated_cuda
