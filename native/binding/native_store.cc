#include "binding/native_store.h"

#include "base/error.h"
#include "binding/decode.h"
#include "binding/environment.h"

namespace eraserelu {

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
  const auto arena = info[0].As<Napi::String>().Utf8Value();
  const std::int64_t offset = info[1].As<Napi::Number>().Int64Value();
  const std::int64_t count = info[2].As<Napi::Number>().Int64Value();
  auto store = this->store(info.Env());
  auto bytes = std::make_shared<std::vector<std::byte>>();
  return Environment::of(info.Env()).submit(
      info.Env(), *runner_,
      [=] {
        if (count < 0) fail(ErrorCode::InvalidArgument, "store: cannot read ", count, " elements");
        bytes->resize(static_cast<std::size_t>(count) * sizeof(float));
        store->read(arena, offset, reinterpret_cast<float*>(bytes->data()), count);
      },
      [bytes](Napi::Env env) { return encode_array(env, DType::f32, *bytes); });
}

Napi::Value NativeStore::write(const Napi::CallbackInfo& info) {
  const auto arena = info[0].As<Napi::String>().Utf8Value();
  const std::int64_t offset = info[1].As<Napi::Number>().Int64Value();
  auto store = this->store(info.Env());
  auto bytes = std::make_shared<std::vector<std::byte>>(translated(info.Env(), [&] { return decode_bytes(info[2]); }));
  return Environment::of(info.Env()).submit(
      info.Env(), *runner_,
      [=] {
        store->write(arena, offset, reinterpret_cast<const float*>(bytes->data()),
                     static_cast<std::int64_t>(bytes->size() / sizeof(float)));
      },
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
