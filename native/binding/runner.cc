#include "binding/runner.h"

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "binding/denormals.h"

namespace eraserelu {

std::map<std::string, Runner*>& Runner::all() {
  static auto& runners = *new std::map<std::string, Runner*>();
  return runners;
}

std::mutex& Runner::registry_mutex() {
  static auto& mutex = *new std::mutex();
  return mutex;
}

Runner& Runner::of(const std::string& device) {
  std::lock_guard<std::mutex> lock(registry_mutex());
  auto found = all().find(device);
  if (found == all().end()) found = all().emplace(device, new Runner(device)).first;
  return *found->second;
}

void Runner::drain_all() {
  std::vector<std::future<void>> drained;
  {
    std::lock_guard<std::mutex> lock(registry_mutex());
    for (auto& [name, runner] : all()) {
      auto reached = std::make_shared<std::promise<void>>();
      drained.push_back(reached->get_future());
      runner->post([reached, runner = runner] { runner->wait([] { return true; }, [reached] { reached->set_value(); }); });
    }
  }
  for (std::future<void>& runner : drained) runner.wait();
}

Runner::Runner(const std::string& device) : backend_(backend_named(device)), arena_(std::make_shared<SharedArena>(backend_)) {
  const bool flushes = device == "cpu";   // the reference is exact
  std::thread([this, flushes] {
    if (flushes) flush_denormals();   // OpenMP's threads are started by this one
    loop();
  }).detach();
}

void Runner::post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
}

void Runner::wait(std::function<bool()> ready, std::function<void()> finish) { waits_.push_back({std::move(ready), std::move(finish)}); }

void Runner::loop() {
  for (;;) next_task()();
}

std::function<void()> Runner::next_task() {
  // A device is asked, not waited for: a thread that waits for it could serve nobody else.
  constexpr auto pause = std::chrono::microseconds(20);
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto has_task = [this] { return !tasks_.empty(); };
      if (waits_.empty()) ready_.wait(lock, has_task);
      if (has_task() && waits_.size() < kMostWaits) {
        std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        return task;
      }
    }
    if (waits_.front().ready()) {
      std::function<void()> finish = std::move(waits_.front().finish);
      waits_.pop_front();
      return finish;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    if (waits_.size() < kMostWaits) ready_.wait_for(lock, pause, [this] { return !tasks_.empty(); });
    else ready_.wait_for(lock, pause);
  }
}

}  // namespace eraserelu
