// The runner: one native thread a device and process that executes everything that touches device memory, first in first
// out, for all JavaScript threads. (One thread, because OpenMP makes a team of threads for each thread that calls it.)
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plan/shared_arena.h"

namespace eraserelu {

class Runner {
 public:
  /// The runner of a device, made at first use and never destroyed: no static destructor may race with its thread.
  static Runner& of(const std::string& device);

  void post(std::function<void()> task);

  /// In a task: `finish` is to be called when `ready` says so, after what waits already. Meanwhile the runner serves other tasks, so that
  /// a run is launched, and its inputs are carried to the device, while the one before is under way.
  void wait(std::function<bool()> ready, std::function<void()> finish);

  /// Waits until all runners have done what was posted to them before.
  static void drain_all();

  Backend& backend() { return backend_; }
  const std::shared_ptr<SharedArena>& arena() { return arena_; }

  /// Owns `object` such that it is destroyed on the runner, after all tasks posted before.
  template <typename T>
  std::shared_ptr<T> own(T* object) {
    return std::shared_ptr<T>(object, [this](T* dying) { post([dying] { delete dying; }); });
  }

 private:
  explicit Runner(const std::string& device);
  struct Wait {
    std::function<bool()> ready;
    std::function<void()> finish;
  };
  static constexpr std::size_t kMostWaits = 2;   // so many runs may be under way

  void loop();
  std::function<void()> next_task();
  static std::map<std::string, Runner*>& all();   // guarded by registry_mutex()
  static std::mutex& registry_mutex();

  Backend& backend_;
  std::shared_ptr<SharedArena> arena_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  std::deque<Wait> waits_;   // of the runner thread
};

}  // namespace eraserelu
