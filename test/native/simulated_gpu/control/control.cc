// sim.node: lets a test in TypeScript make calls fail, count them, and ask what is alive, in the process that uses the simulated GPU.
#include <napi.h>

#include <string>

#include "cudnn/sim_cudnn.h"
#include "runtime/sim.h"

namespace {

std::string text(const Napi::CallbackInfo& info, std::size_t index) { return info[index].As<Napi::String>().Utf8Value(); }
std::int64_t number(const Napi::CallbackInfo& info, std::size_t index) { return info[index].As<Napi::Number>().Int64Value(); }

/// (pattern: string, n: number, error: number): the n-th call from now on whose name matches fails.
Napi::Value fail(const Napi::CallbackInfo& info) {
  simFail(text(info, 0).c_str(), number(info, 1), static_cast<cudaError_t>(number(info, 2)));
  return info.Env().Undefined();
}

Napi::Value fail_cudnn(const Napi::CallbackInfo& info) {
  simCudnnFail(text(info, 0).c_str(), number(info, 1), static_cast<cudnnStatus_t>(number(info, 2)));
  return info.Env().Undefined();
}

/// (): the names of the calls since the last time this was asked, one a line.
Napi::Value calls(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), simCalls()); }

/// (): what the GPU did since the last time this was asked, one operation of a stream a line.
Napi::Value work(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), simWork()); }

Napi::Value leaks(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), simLeaks()); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("fail", Napi::Function::New(env, fail));
  exports.Set("failCudnn", Napi::Function::New(env, fail_cudnn));
  exports.Set("calls", Napi::Function::New(env, calls));
  exports.Set("work", Napi::Function::New(env, work));
  exports.Set("leaks", Napi::Function::New(env, leaks));
  return exports;
}

}  // namespace

NODE_API_MODULE(sim, init)
