// The addon's exports; src/runtime/addon.ts is their typed picture.
#include <napi.h>

#include "backend/backend.h"
#include "binding/environment.h"
#include "binding/native_images.h"
#include "binding/native_plan.h"
#include "binding/native_store.h"
#include "plan/op_checks_pitch.h"
#include "plan/op_checks_types.h"

namespace eraserelu {

namespace {

Napi::Value js_vocabulary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array rows = Napi::Array::New(env);
  for (const OpSpec& spec : vocabulary()) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("name", spec.name);
    row.Set("reads", spec.reads);
    row.Set("writes", spec.writes);
    row.Set("attributes", spec.attributes);
    row.Set("batch", name_of(spec.batch));
    row.Set("typed", std::string(typed_operands(spec.name)));
    row.Set("pitched", std::string(pitched_operands(spec.name, true)));
    row.Set("pitchedOnCpu", std::string(pitched_operands(spec.name, false)));
    rows.Set(rows.Length(), row);
  }
  return rows;
}

Napi::Value js_devices(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const std::string& name : backend_names()) names.Set(names.Length(), Napi::String::New(info.Env(), name));
  return names;
}

Napi::Value js_device_problem(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] {
    return Napi::String::New(info.Env(), device_problem(info[0].As<Napi::String>().Utf8Value()));
  });
}

Napi::Value js_device_info(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] {
    const DeviceInfo device = backend_named(info[0].As<Napi::String>().Utf8Value()).info();
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("name", device.name);
    result.Set("library", device.library);
    result.Set("instructions", device.instructions);
    result.Set("threads", device.threads);
    result.Set("bf16", device.bf16);
    return result;
  });
}

Napi::Value js_close(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).close();
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  environment->store_class = Napi::Persistent(NativeStore::define_class(env));
  environment->plan_class = Napi::Persistent(NativePlan::define_class(env));
  exports.Set("NativeStore", environment->store_class.Value());
  exports.Set("NativeImageFiles", NativeImageFiles::define_class(env));
  exports.Set("NativeImageReader", NativeImageReader::define_class(env));
  exports.Set("createPlan", Napi::Function::New(env, NativePlan::create));
  exports.Set("vocabulary", Napi::Function::New(env, js_vocabulary));
  exports.Set("devices", Napi::Function::New(env, js_devices));
  exports.Set("deviceProblem", Napi::Function::New(env, js_device_problem));
  exports.Set("deviceInfo", Napi::Function::New(env, js_device_info));
  exports.Set("close", Napi::Function::New(env, js_close));
  return exports;
}

}  // namespace

NODE_API_MODULE(eraserelu, init)

}  // namespace eraserelu
