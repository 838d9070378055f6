// NativeStore: the JavaScript face of plan/store.h. All methods but dispose return promises; the work is done on the runner.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/runner.h"
#include "plan/store.h"

namespace eraserelu {

class NativeStore : public Napi::ObjectWrap<NativeStore> {
 public:
  static Napi::Function define_class(Napi::Env env);

  explicit NativeStore(const Napi::CallbackInfo& info);   // (device: string)

  Runner& runner() { return *runner_; }
  std::shared_ptr<Store> store(Napi::Env env) const;   // throws when disposed

  void Finalize(Napi::Env env) override;

 private:
  Napi::Value define(const Napi::CallbackInfo& info);    // (arena: string, elements: number): Promise<void>
  Napi::Value read(const Napi::CallbackInfo& info);      // (arena: string, offset: number, count: number): Promise<Float32Array>
  Napi::Value write(const Napi::CallbackInfo& info);     // (arena: string, offset: number, values: Float32Array): Promise<void>
  Napi::Value dispose(const Napi::CallbackInfo& info);   // (): void
  void let_go(Napi::Env env);

  Runner* runner_ = nullptr;
  std::shared_ptr<Store> store_;
  std::int64_t bytes_ = 0;
};

}  // namespace eraserelu
