// The rules of the race check.
#include "shared.h"

#include <string>
#include <vector>

namespace simulated_gpu {
namespace {

// Marks for several readers since the last barrier: of one warp (its number is added), or of more.
constexpr std::uint16_t severalOfWarp = 0x8000;
constexpr std::uint16_t severalWarps = 0xFFFF;
constexpr unsigned lanes = 32;

bool is_one_thread(std::uint16_t mark) { return mark < severalOfWarp; }
unsigned warp_of(std::uint16_t mark) { return is_one_thread(mark) ? mark / lanes : mark - severalOfWarp; }

/// Whether what `mark` did in these epochs is ordered before what the running thread does now.
bool is_before(std::uint16_t mark, std::uint32_t epoch, std::uint32_t warp_epoch) {
  if (epoch != block.epoch || mark == thread->number) return true;
  return mark != severalWarps && warp_of(mark) == thread->number / lanes && warp_epoch < thread->warp->epoch;
}

std::string element(const char* name, std::ptrdiff_t index) { return std::string(name) + "[" + std::to_string(index) + "]"; }

std::string to_string(std::uint16_t mark) {
  if (is_one_thread(mark)) return "thread " + std::to_string(mark);
  return mark == severalWarps ? "several warps" : "several lanes of warp " + std::to_string(warp_of(mark));
}

}  // namespace

void note_read(Cell& cell, const char* name, std::ptrdiff_t index) {
  if (cell.write_epoch < block.first_epoch)
    fail("reads " + element(name, index) + ", which no thread of the block has written yet");
  if (!is_before(cell.writer, cell.write_epoch, cell.write_warp_epoch))
    fail("reads " + element(name, index) + ", which " + to_string(cell.writer) + " wrote with no barrier between");
  const auto self = static_cast<std::uint16_t>(thread->number);
  if (cell.read_epoch != block.epoch) cell.reader = self;
  if (cell.reader != self) {
    const unsigned warp = self / lanes;
    const bool same = cell.reader != severalWarps && warp_of(cell.reader) == warp;
    cell.reader = same ? static_cast<std::uint16_t>(severalOfWarp + warp) : severalWarps;
  }
  cell.read_epoch = block.epoch;
  cell.read_warp_epoch = thread->warp->epoch;
}

void note_write(Cell& cell, const char* name, std::ptrdiff_t index) {
  if (!is_before(cell.writer, cell.write_epoch, cell.write_warp_epoch))
    fail("writes " + element(name, index) + ", which " + to_string(cell.writer) + " wrote with no barrier between");
  if (!is_before(cell.reader, cell.read_epoch, cell.read_warp_epoch))
    fail("writes " + element(name, index) + ", which " + to_string(cell.reader) + " read with no barrier between");
  cell.writer = static_cast<std::uint16_t>(thread->number);
  cell.write_epoch = block.epoch;
  cell.write_warp_epoch = thread->warp->epoch;
}

void fail_out_of_bounds(const char* name, std::ptrdiff_t index, std::ptrdiff_t size) {
  fail("uses " + element(name, index) + ", an array of " + std::to_string(size));
}

DynamicShared dynamic_shared(std::size_t element_size) {
  static std::vector<std::byte> values;
  static std::vector<Cell> cells;   // as many as there can be elements: a block's threads have pointers to both
  static std::uint32_t user = 0;    // the block that the next line is about
  static std::size_t usersElement = 0;
  if (user != block.first_epoch) {
    user = block.first_epoch;
    usersElement = element_size;
    if (values.size() < block.dynamic_shared) {
      values.resize(block.dynamic_shared);
      cells.resize(block.dynamic_shared);
    }
  }
  if (usersElement != element_size) fail("uses the dynamic shared array with two sizes of elements");
  return {values.data(), cells.data()};
}

}  // namespace simulated_gpu
