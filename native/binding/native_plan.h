// NativePlan: the JavaScript face of plan/plan.h.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/runner.h"
#include "plan/plan.h"

namespace eraserelu {

class NativePlan : public Napi::ObjectWrap<NativePlan> {
 public:
  static Napi::Function define_class(Napi::Env env);

  /// (desc: PlanDesc, store: NativeStore, progress?: (prepared, total) => void): Promise<NativePlan>. Kernels are prepared on the runner.
  static Napi::Value create(const Napi::CallbackInfo& info);

  explicit NativePlan(const Napi::CallbackInfo& info);   // only from create

  void Finalize(Napi::Env env) override;

 private:
  struct Held {
    Runner* runner;
    std::shared_ptr<Plan> plan;
  };

  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value engines(const Napi::CallbackInfo& info);
  Napi::Value notes(const Napi::CallbackInfo& info);
  Napi::Value choices(const Napi::CallbackInfo& info);        // (): Record<string, string>
  Napi::Value set_resident(const Napi::CallbackInfo& info);   // (index: number, data: TypedArray): Promise<void>
  Napi::Value stage(const Napi::CallbackInfo& info);          // (id: number, arrays: TypedArray[]): void
  Napi::Value run(const Napi::CallbackInfo& info);            // (request): { promise, abort }
  Napi::Value dispose(const Napi::CallbackInfo& info);
  std::shared_ptr<Plan> plan(Napi::Env env) const;
  void let_go(Napi::Env env);

  Runner* runner_ = nullptr;
  std::shared_ptr<Plan> plan_;
  std::int64_t bytes_ = 0;   // told to V8: what the plan holds alone, without its share of the arena
};

}  // namespace eraserelu
