#include "binding/native_store.h"

#include "base/error.h"
#include "binding/environment.h"

namespace eraserelu {

namespace {
std::int64_t floats_of(const ArrayBytes& array) { return static_cast<std::int64_t>(array.size / sizeof(float)); }
}  // namespace

Napi::Function NativeStore::define_class(Napi::Env env) {
  return DefineClass(env, "NativeStore",
                     {InstanceMethod<&NativeStore::define>("define"), InstanceMethod<&NativeStore::read>("read"),
                      InstanceMethod<&NativeStore::write>("write"), InstanceMethod<&NativeStore::dispose>("dispose")});
}

NativeStore::NativeStore(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeStore>(info) {
  translated(info.Env(), [&] {
    runner_ = &Runner::of(info[0].As<Napi::String>().Utf8Value());
    store_ = runner_->own(new Store(runner_->backend()));
  });
}

std::shared_ptr<Store> NativeStore::store(Napi::Env env) const {
  if (!store_) throw to_js_error(env, Error(ErrorCode::InvalidArgument, "the store was disposed"));
  return store_;
}

Napi::Value NativeStore::define(const Napi::CallbackInfo& info) {
  const auto arena = info[0].As<Napi::String>().Utf8Value();
  const std::int64_t elements = info[1].As<Napi::Number>().Int64Value();
  auto store = this->store(info.Env());
  const std::int64_t bytes = elements * static_cast<std::int64_t>(sizeof(float));
  bytes_ += bytes;
  Environment::of(info.Env()).adjust_memory(info.Env(), bytes);
  return Environment::of(info.Env()).submit(info.Env(), *runner_, [=] { store->define(arena, elements); },
                                            [](Napi::Env env) { return env.Undefined(); });
}

Napi::Value NativeStore::read(const Napi::CallbackInfo& info) {
  return transfer(info, [](Store& store, const std::string& arena, std::int64_t offset, const ArrayBytes& array) {
    // A typed array's memory may be written: it is const only as what is read.
    store.read(arena, offset, reinterpret_cast<float*>(const_cast<std::byte*>(array.data)), floats_of(array));
  });
}

Napi::Value NativeStore::write(const Napi::CallbackInfo& info) {
  return transfer(info, [](Store& store, const std::string& arena, std::int64_t offset, const ArrayBytes& array) {
    store.write(arena, offset, reinterpret_cast<const float*>(array.data), floats_of(array));
  });
}

Napi::Value NativeStore::transfer(const Napi::CallbackInfo& info, const Transfer& transfer) {
  const Napi::Env env = info.Env();
  const auto arena = info[0].As<Napi::String>().Utf8Value();
  const std::int64_t offset = info[1].As<Napi::Number>().Int64Value();
  auto store = this->store(env);
  const ArrayBytes array = translated(env, [&] { return bytes_of(info[2]); });
  const std::shared_ptr<const void> owner = Environment::of(env).keep(info[2]);
  return Environment::of(env).submit(env, *runner_, [=, owner = owner] { transfer(*store, arena, offset, array); },
                                     [](Napi::Env env) { return env.Undefined(); });
}

Napi::Value NativeStore::dispose(const Napi::CallbackInfo& info) {
  let_go(info.Env());
  return info.Env().Undefined();
}

void NativeStore::Finalize(Napi::Env env) { let_go(env); }

void NativeStore::let_go(Napi::Env env) {
  if (!store_) return;
  store_.reset();
  Environment::of(env).adjust_memory(env, -bytes_);
  bytes_ = 0;
}

}  // namespace eraserelu
