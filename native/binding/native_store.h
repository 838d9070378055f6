// NativeStore: the JavaScript face of plan/store.h. All methods but dispose return promises; the work is done on the runner.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>

#include "binding/decode.h"
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
  Napi::Value read(const Napi::CallbackInfo& info);      // (arena: string, offset: number, into: Float32Array): Promise<void>
  Napi::Value write(const Napi::CallbackInfo& info);     // (arena: string, offset: number, values: Float32Array): Promise<void>
  Napi::Value dispose(const Napi::CallbackInfo& info);   // (): void
  void let_go(Napi::Env env);

  using Transfer = std::function<void(Store& store, const std::string& arena, std::int64_t offset, const ArrayBytes& array)>;
  /// Has the runner bring the store's arena (info[0]) from element info[1] on and the array info[2] together, which is not copied.
  Napi::Value transfer(const Napi::CallbackInfo& info, const Transfer& transfer);

  Runner* runner_ = nullptr;
  std::shared_ptr<Store> store_;
  std::int64_t bytes_ = 0;
};

}  // namespace eraserelu
