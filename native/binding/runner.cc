#include "binding/runner.h"

#include <future>
#include <thread>
#include <vector>

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
      runner->post([reached] { reached->set_value(); });
    }
  }
  for (std::future<void>& runner : drained) runner.wait();
}

Runner::Runner(const std::string& device) : backend_(backend_named(device)), arena_(std::make_shared<SharedArena>(backend_)) {
  std::thread([this] { loop(); }).detach();
}

void Runner::post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
}

void Runner::loop() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ready_.wait(lock, [this] { return !tasks_.empty(); });
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace eraserelu
