#include "binding/environment.h"

#include <thread>

#include "base/error.h"

namespace eraserelu {

struct Environment::Job {
  Napi::Promise::Deferred deferred;
  std::function<Rest()> work;
  std::function<Napi::Value(Napi::Env)> done;
  AbortFlag abort;
  std::exception_ptr error;

  void attempt(const std::function<void()>& part) {
    try {
      part();
    } catch (...) {
      error = std::current_exception();
    }
  }
};

Environment& Environment::of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

Environment::Environment(Napi::Env env) {
  auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  bridge_ = Napi::ThreadSafeFunction::New(env, nothing, "eraserelu", 0, 1);
  bridge_.Unref(env);
  env.AddCleanupHook([](Environment* self) { self->close(); }, this);
}

// The environment's objects are gone by now, but the runners still delete what they held. When the process ends, that must not
// overlap with the destruction of the libraries' statics.
Environment::~Environment() { Runner::drain_all(); }

void Environment::close() {
  const auto endings = std::move(endings_);
  endings_.clear();
  for (const auto& [key, end] : endings) end();
  std::set<Job*> undelivered;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (Job* job : running_)
      if (job->abort) *job->abort = true;
    idle_.wait(lock, [this] { return running_.empty(); });
    undelivered.swap(delivered_);
  }
  bridge_.Abort();   // from here on finished() is not called
  for (Job* job : undelivered) delete job;
  Runner::drain_all();
}

Napi::Promise Environment::submit(Napi::Env env, Runner& runner, std::function<void()> work,
                                  std::function<Napi::Value(Napi::Env)> done, AbortFlag abort) {
  const auto whole = [work = std::move(work)] {
    work();
    return Rest{};
  };
  return submit_started(env, runner, whole, std::move(done), std::move(abort));
}

Napi::Promise Environment::submit_started(Napi::Env env, Runner& runner, std::function<Rest()> work,
                                          std::function<Napi::Value(Napi::Env)> done, AbortFlag abort) {
  if (closed_) throw to_js_error(env, Error(ErrorCode::Internal, "the process or worker is ending"));
  auto* job = new Job{Napi::Promise::Deferred::New(env), std::move(work), std::move(done), std::move(abort), nullptr};
  const Napi::Promise promise = job->deferred.Promise();
  hold(env);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    running_.insert(job);
  }
  runner.post([this, &runner, job] {
    Rest rest;
    job->attempt([&] { rest = job->work(); });
    job->work = nullptr;
    if (!rest.ready) return end(job);
    runner.wait(std::move(rest.ready), [this, job, finish = std::move(rest.finish)] {
      job->attempt(finish);
      end(job);
    });
  });
  return promise;
}

void Environment::post(std::function<void(Napi::Env)> call) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  bridge_.NonBlockingCall([call = std::move(call)](Napi::Env env, Napi::Function) {
    Napi::HandleScope scope(env);
    call(env);
  });
}

std::shared_ptr<const void> Environment::keep(const Napi::Value& value) {
  using Reference = Napi::Reference<Napi::Value>;
  auto* reference = new Reference(Reference::New(value, 1));
  return std::shared_ptr<const void>(reference, [this, reference, thread = std::this_thread::get_id()](const void*) {
    if (std::this_thread::get_id() == thread) return delete reference;
    std::lock_guard<std::mutex> lock(mutex_);
    if (!closed_) {
      bridge_.NonBlockingCall([reference](Napi::Env, Napi::Function) { delete reference; });
      return;
    }
    reference->SuppressDestruct();   // the end of the environment lets it go
    delete reference;
  });
}

void Environment::end(Job* job) {
  std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(job);
  if (closed_) {
    delete job;   // the environment ends: nobody waits for the promise
    idle_.notify_all();
    return;
  }
  delivered_.insert(job);
  bridge_.NonBlockingCall([this, job](Napi::Env env, Napi::Function) { finished(env, job); });
}

void Environment::finished(Napi::Env env, Job* job) {
  std::unique_ptr<Job> owner(job);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    delivered_.erase(job);
  }
  release(env);
  Napi::HandleScope scope(env);
  try {
    if (job->error) std::rethrow_exception(job->error);
    job->deferred.Resolve(job->done(env));
  } catch (const Napi::Error& error) {
    job->deferred.Reject(error.Value());
  } catch (const std::exception& error) {
    job->deferred.Reject(to_js_error(env, error).Value());
  }
}

void Environment::hold(Napi::Env env) {
  if (pending_++ == 0) bridge_.Ref(env);
}

void Environment::release(Napi::Env env) {
  if (--pending_ == 0) bridge_.Unref(env);
}

void Environment::adjust_memory(Napi::Env env, std::int64_t change) { Napi::MemoryManagement::AdjustExternalMemory(env, change); }

namespace {
const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument: return "InvalidArgument";
    case ErrorCode::Unsupported: return "Unsupported";
    case ErrorCode::OutOfMemory: return "OutOfMemory";
    case ErrorCode::DeviceError: return "DeviceError";
    case ErrorCode::NotFinite: return "NotFinite";
    case ErrorCode::Aborted: return "Aborted";
    case ErrorCode::Internal: return "Internal";
  }
  return "Internal";
}
}  // namespace

Napi::Error to_js_error(Napi::Env env, const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Set("code", Napi::String::New(env, ours ? name_of(ours->code()) : "Internal"));
  return js;
}

}  // namespace eraserelu
