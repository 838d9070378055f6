// The scheduler of a block's threads.
#include "block.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "fiber.h"
#include "runtime/order.h"
#include "stacks.h"

namespace simulated_gpu {

ThreadView* thread = nullptr;
BlockView block;

namespace {

enum class State { ready, at_barrier, in_warp, left };

struct Thread : ThreadView {
  State state = State::ready;
  Fiber fiber;
  std::byte* stack = nullptr;   // from its first step to its last
  const Site* site = nullptr;   // where it waits
  // The rest is for waiting in a warp.
  unsigned mask = 0;
  int source = noLane;
  bool vote = false;
  bool orders_memory = false;
  unsigned votes = 0;
  alignas(16) unsigned char value[16] = {};
  alignas(16) unsigned char received[16] = {};
};

constexpr unsigned lanes = 32;

Stacks& stacks = *new Stacks;
Fiber scheduler;
std::vector<Thread> threads;   // of the block, by number
std::vector<Warp> warps;
std::vector<Thread*> ready;    // the last one runs next
const std::function<void()>* body = nullptr;
std::string failure;

Thread& running() { return *static_cast<Thread*>(thread); }

std::string to_string(const Site* site) {
  const char* const slash = std::strrchr(site->file, '/');
  return std::string(slash == nullptr ? site->file : slash + 1) + ":" + std::to_string(site->line);
}

std::string to_string(const uint3& index) {
  return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," + std::to_string(index.z) + ")";
}

Thread& lane_of(const Thread& of, unsigned lane) { return threads[of.number - of.lane + lane]; }

void make_ready(std::vector<Thread*>& released) {
  simulated_cuda::arrange(released.begin(), released.end());
  for (auto each = released.rbegin(); each != released.rend(); ++each) {
    (*each)->state = State::ready;
    ready.push_back(*each);
  }
}

/// Lets the lanes of a meeting go on if all of `mask` have come. Returns "" or what is wrong.
std::string try_to_meet(const Thread& first) {
  Warp& warp = *first.warp;
  const unsigned present = first.mask & ~warp.left;
  if ((present & ~warp.waiting) != 0) return "";
  std::vector<Thread*> met;
  unsigned votes = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if ((present >> lane & 1) == 0) continue;
    Thread& each = lane_of(first, lane);
    if (each.site != first.site) return to_string(first.site) + " meets " + to_string(each.site) + " of another lane of the warp";
    if (each.mask != first.mask) return to_string(first.site) + ": lanes of a warp meet with different masks";
    if (each.source != noLane && (present >> each.source & 1) == 0)
      return to_string(first.site) + ": lane " + std::to_string(lane) + " reads lane " + std::to_string(each.source) +
             ", which has left or is not in the mask";
    if (each.vote) votes |= 1U << lane;
    met.push_back(&each);
  }
  for (Thread* each : met) {
    each->votes = votes;
    if (each->source == noLane) continue;
    std::memcpy(each->received, lane_of(*each, static_cast<unsigned>(each->source)).value, sizeof each->received);
  }
  warp.waiting &= ~present;
  if (first.orders_memory && (present | warp.left) == ~0U) ++warp.epoch;
  make_ready(met);
  return "";
}

/// The lanes that wait may have waited only for this one.
std::string leave_warp(Thread& leaving) {
  leaving.warp->left |= 1U << leaving.lane;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if ((leaving.warp->waiting >> lane & 1) == 0) continue;
    if (std::string complaint = try_to_meet(lane_of(leaving, lane)); !complaint.empty()) return complaint;
  }
  return "";
}

/// Nobody can run: all that have not left must wait at the same barrier. Returns "" or what is wrong.
std::string release_barrier() {
  std::vector<Thread*> met;
  for (Thread& each : threads) {
    if (each.state == State::left) continue;
    if (!met.empty() && each.site != met.front()->site)
      return "thread " + to_string(met.front()->index) + " waits at " + to_string(met.front()->site) + " and thread " +
             to_string(each.index) + " at " + to_string(each.site) + ": not all threads reach the same barrier";
    if (each.state == State::in_warp) return to_string(each.site) + ": a warp waits for lanes that do not come";
    met.push_back(&each);
  }
  ++block.epoch;
  make_ready(met);
  return "";
}

void thread_main() {
  (*body)();
  running().state = State::left;
  Fiber::switch_between(running().fiber, scheduler);
}

/// Makes the next thread that is ready the running one; its fiber is to be switched to.
Fiber& take_next() {
  Thread& next = *ready.back();
  ready.pop_back();
  if (next.stack == nullptr) {
    next.stack = stacks.take();
    next.fiber.prepare(next.stack, Stacks::size, thread_main);
  }
  thread = &next;
  return next.fiber;
}

/// Lets others run; returns when somebody has made the thread ready and its turn has come.
void give_way() {
  Thread& self = running();
  Fiber::switch_between(self.fiber, ready.empty() ? scheduler : take_next());
}

/// Runs threads until one leaves, fails, or none is ready.
void run_threads() {
  Fiber::switch_between(scheduler, take_next());
  Thread& last = running();
  thread = nullptr;
  if (last.state != State::left) return;
  stacks.give_back(last.stack);
  last.stack = nullptr;
  failure = leave_warp(last);
}

void begin_block(uint3 index) {
  block.index = index;
  block.first_epoch = ++block.epoch;
  warps.assign((threads.size() + lanes - 1) / lanes, Warp{});
  if (threads.size() % lanes != 0) warps.back().left = ~0U << threads.size() % lanes;
  ready.clear();
  for (Thread& each : threads) {
    each.state = State::ready;
    each.warp = &warps[each.number / lanes];
    ready.push_back(&each);
  }
  simulated_cuda::arrange(ready.begin(), ready.end());
  std::reverse(ready.begin(), ready.end());
}

void run_block(uint3 index) {
  begin_block(index);
  while (failure.empty()) {
    if (!ready.empty()) {
      run_threads();
    } else if (std::any_of(threads.begin(), threads.end(), [](const Thread& each) { return each.state != State::left; })) {
      failure = release_barrier();
    } else {
      return;
    }
  }
  failure += ", block " + to_string(index);
  for (const Thread& each : threads)
    if (each.stack != nullptr) stacks.give_back(each.stack);
}

void make_threads(dim3 size) {
  threads.assign(std::size_t{size.x} * size.y * size.z, Thread{});
  unsigned number = 0;
  for (Thread& each : threads) {
    each.index = {number % size.x, number / size.x % size.y, number / size.x / size.y};
    each.lane = number % lanes;
    each.number = number++;
  }
}

}  // namespace

std::string run_grid(dim3 grid, dim3 block_size, std::size_t dynamic_shared, const std::function<void()>& thread_body) {
  body = &thread_body;
  failure.clear();
  block.grid = grid;
  block.size = block_size;
  block.dynamic_shared = dynamic_shared;
  make_threads(block_size);
  std::vector<std::size_t> order(std::size_t{grid.x} * grid.y * grid.z);
  std::iota(order.begin(), order.end(), std::size_t{0});
  simulated_cuda::arrange(order.begin(), order.end());
  for (const std::size_t each : order) {
    const auto x = static_cast<unsigned>(each % grid.x);
    const auto y = static_cast<unsigned>(each / grid.x % grid.y);
    run_block({x, y, static_cast<unsigned>(each / grid.x / grid.y)});
    if (!failure.empty()) break;
  }
  return failure;
}

void fail(const std::string& message) {
  failure = message + ", thread " + to_string(thread->index);
  Fiber::switch_between(running().fiber, scheduler);
  __builtin_unreachable();   // the scheduler has given the block up
}

void sync_block(const Site& site) {
  running().site = &site;
  running().state = State::at_barrier;
  give_way();
}

unsigned meet_warp(const Site& site, unsigned mask, void* value, std::size_t size, int source, bool vote, bool orders_memory) {
  Thread& self = running();
  if ((mask >> self.lane & 1) == 0) fail(to_string(&site) + ": the lane is not in its own mask");
  self.site = &site;
  self.state = State::in_warp;
  self.mask = mask;
  self.source = source;
  self.vote = vote;
  self.orders_memory = orders_memory;
  std::memcpy(self.value, value, size);
  self.warp->waiting |= 1U << self.lane;
  if (const std::string complaint = try_to_meet(self); !complaint.empty()) fail(complaint);
  give_way();
  if (source != noLane) std::memcpy(value, self.received, size);
  return self.votes;
}

bool is_running() { return thread != nullptr; }

std::string position() { return is_running() ? ", block " + to_string(block.index) + " thread " + to_string(thread->index) : ""; }

}  // namespace simulated_gpu
