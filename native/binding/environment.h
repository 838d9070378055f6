// What one JavaScript environment (main thread or worker) holds: the bridge from runner threads back to its event loop, the
// jobs it waits for, and the constructors of its wrapped classes. When the environment ends, its jobs are aborted and awaited.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "binding/runner.h"

namespace eraserelu {

/// Set to true to make the job that polls it stop.
using AbortFlag = std::shared_ptr<std::atomic<bool>>;

class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  static Environment& of(Napi::Env env);

  /// Runs `work` on the runner and settles the promise with what `done` makes on the JavaScript thread, or with the error
  /// that `work` threw.
  Napi::Promise submit(Napi::Env env, Runner& runner, std::function<void()> work, std::function<Napi::Value(Napi::Env)> done,
                       AbortFlag abort = nullptr);

  /// Calls `call` on the JavaScript thread, soon; from a job that runs. Dropped when the environment ends.
  void post(std::function<void(Napi::Env)> call);

  /// Keeps a JavaScript value for other threads; it is let go on the JavaScript thread. From that thread.
  std::shared_ptr<const void> keep(const Napi::Value& value);

  /// What remains of a job when its work has returned: `finish` is called on the runner when `ready` says so. Empty: nothing.
  struct Rest {
    std::function<bool()> ready;
    std::function<void()> finish;
  };

  /// As submit, for work that goes on elsewhere after it has returned.
  Napi::Promise submit_started(Napi::Env env, Runner& runner, std::function<Rest()> work, std::function<Napi::Value(Napi::Env)> done,
                               AbortFlag abort);

  /// Keeps the event loop alive until `release`, as a job does; on the JavaScript thread.
  void hold(Napi::Env env);
  void release(Napi::Env env);

  /// `end` is called once, at the beginning of close(), unless `off_close` was called with the same key before; on the JavaScript thread.
  void on_close(const void* key, std::function<void()> end) { endings_[key] = std::move(end); }
  void off_close(const void* key) { endings_.erase(key); }

  /// Aborts what still runs, waits until the runners are idle, and takes no more jobs. What is done but did not reach
  /// the event loop is dropped.
  void close();

  /// Tells V8 how many bytes of native memory this environment's objects hold.
  void adjust_memory(Napi::Env env, std::int64_t change);

  Napi::FunctionReference store_class;
  Napi::FunctionReference plan_class;

 private:
  struct Job;
  void end(Job* job);   // on the runner
  void finished(Napi::Env env, Job* job);

  Napi::ThreadSafeFunction bridge_;
  int pending_ = 0;   // on the JavaScript thread
  std::map<const void*, std::function<void()>> endings_;   // on the JavaScript thread
  std::mutex mutex_;
  std::condition_variable idle_;
  std::set<Job*> running_;     // posted to a runner, not done yet
  std::set<Job*> delivered_;   // done, on the way to the event loop
  bool closed_ = false;
};

/// The JavaScript error for a native one: message, and `code` with the name of its kind.
Napi::Error to_js_error(Napi::Env env, const std::exception& error);

/// Calls `body`, turning native errors into JavaScript ones.
template <typename Body>
auto translated(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw to_js_error(env, error);
  }
}

}  // namespace eraserelu
