#include "binding/native_plan.h"

#include <thread>

#include "base/error.h"
#include "binding/decode.h"
#include "binding/environment.h"
#include "binding/native_store.h"

namespace eraserelu {

Napi::Function NativePlan::define_class(Napi::Env env) {
  return DefineClass(env, "NativePlan",
                     {InstanceMethod<&NativePlan::memory>("memory"), InstanceMethod<&NativePlan::engines>("engines"), InstanceMethod<&NativePlan::notes>("notes"),
                      InstanceMethod<&NativePlan::choices>("choices"),
                      InstanceMethod<&NativePlan::set_resident>("setResident"), InstanceMethod<&NativePlan::stage>("stage"),
                      InstanceMethod<&NativePlan::run>("run"),
                      InstanceMethod<&NativePlan::dispose>("dispose")});
}

namespace {
/// A JavaScript function that the runner holds too. References are deleted on the JavaScript thread, or by the end of its environment.
struct HeldFunction {
  explicit HeldFunction(const Napi::Function& function) : reference(Napi::Persistent(function)) {}
  ~HeldFunction() {
    if (std::this_thread::get_id() != owner) reference.SuppressDestruct();
  }

  Napi::FunctionReference reference;
  std::thread::id owner = std::this_thread::get_id();
};

/// Calls a JavaScript function, from the runner; nothing for what is no function.
PrepareProgress progress_to(Napi::Env env, const Napi::Value& value) {
  if (!value.IsFunction()) return nullptr;
  auto held = std::make_shared<HeldFunction>(value.As<Napi::Function>());
  return [held, environment = &Environment::of(env)](std::size_t prepared, std::size_t total) {
    environment->post([held, prepared, total](Napi::Env env) {
      held->reference.Call({Napi::Number::New(env, static_cast<double>(prepared)), Napi::Number::New(env, static_cast<double>(total))});
    });
  };
}
}  // namespace

Napi::Value NativePlan::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto desc = std::make_shared<PlanDesc>(translated(env, [&] { return decode_plan(info[0].As<Napi::Object>()); }));
  NativeStore* wrapper = NativeStore::Unwrap(info[1].As<Napi::Object>());
  Runner& runner = wrapper->runner();
  auto store = wrapper->store(env);
  auto plan = std::make_shared<std::shared_ptr<Plan>>();
  const PrepareProgress progress = progress_to(env, info[2]);
  return Environment::of(env).submit(
      env, runner,
      [desc, store, plan, progress, &runner] { *plan = runner.own(new Plan(std::move(*desc), store, runner.arena(), progress)); },
      [plan, progress, &runner](Napi::Env env) -> Napi::Value {   // `progress`: so that its function dies on this thread
        Held held{&runner, std::move(*plan)};
        return Environment::of(env).plan_class.New({Napi::External<Held>::New(env, &held)});
      });
}

NativePlan::NativePlan(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativePlan>(info) {
  if (!info[0].IsExternal()) throw to_js_error(info.Env(), Error(ErrorCode::InvalidArgument, "plans are made by createPlan"));
  auto* held = info[0].As<Napi::External<Held>>().Data();
  runner_ = held->runner;
  plan_ = std::move(held->plan);
  const PlanMemory memory = plan_->memory();
  bytes_ = static_cast<std::int64_t>(memory.inputs + memory.resident + memory.packed);
  Environment::of(info.Env()).adjust_memory(info.Env(), bytes_);
}

std::shared_ptr<Plan> NativePlan::plan(Napi::Env env) const {
  if (!plan_) throw to_js_error(env, Error(ErrorCode::InvalidArgument, "the plan was disposed"));
  return plan_;
}

Napi::Value NativePlan::memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const PlanMemory memory = plan(env)->memory();
  Napi::Object result = Napi::Object::New(env);
  const auto set = [&](const char* key, std::size_t bytes) { result.Set(key, Napi::Number::New(env, static_cast<double>(bytes))); };
  set("arena", memory.arena);
  set("livePeak", memory.live_peak);
  set("inputs", memory.inputs);
  set("resident", memory.resident);
  set("packed", memory.packed);
  Napi::Array largest = Napi::Array::New(env);
  for (const auto& [name, bytes] : memory.largest) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("name", Napi::String::New(env, name));
    row.Set("bytes", Napi::Number::New(env, static_cast<double>(bytes)));
    largest.Set(largest.Length(), row);
  }
  result.Set("largest", largest);
  return result;
}

namespace {
Napi::Value encode_texts(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array array = Napi::Array::New(env);
  for (const std::string& text : texts) array.Set(array.Length(), Napi::String::New(env, text));
  return array;
}
}  // namespace

Napi::Value NativePlan::engines(const Napi::CallbackInfo& info) { return encode_texts(info.Env(), plan(info.Env())->engines()); }
Napi::Value NativePlan::notes(const Napi::CallbackInfo& info) { return encode_texts(info.Env(), plan(info.Env())->notes()); }

Napi::Value NativePlan::choices(const Napi::CallbackInfo& info) {
  Napi::Object choices = Napi::Object::New(info.Env());
  for (const auto& [computed, engine] : plan(info.Env())->choices()) choices.Set(computed, engine);
  return choices;
}

Napi::Value NativePlan::set_resident(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = this->plan(env);
  const int tensor = plan->residents().at(info[0].As<Napi::Number>().Uint32Value());
  auto bytes = std::make_shared<std::vector<std::byte>>(translated(env, [&] { return decode_bytes(info[1]); }));
  return Environment::of(env).submit(env, *runner_, [=] { plan->set_resident(tensor, *bytes); },
                                     [](Napi::Env env) { return env.Undefined(); });
}

namespace {

/// One number a call of stage, from 1 on.
std::uint64_t staged_id(const Napi::Value& value) { return static_cast<std::uint64_t>(value.As<Napi::Number>().Int64Value()); }

/// Copies of the arrays.
HostBlock copied_block(const Napi::Value& value) {
  const auto arrays = value.As<Napi::Array>();
  HostBlock block;
  for (std::uint32_t i = 0; i < arrays.Length(); ++i) {
    const auto bytes = std::make_shared<const std::vector<std::byte>>(decode_bytes(arrays.Get(i)));
    block.push_back({bytes, bytes->data(), bytes->size()});
  }
  return block;
}

/// The arrays themselves, kept for the runner.
HostBlock kept_block(const Napi::Value& value) {
  const auto arrays = value.As<Napi::Array>();
  const std::shared_ptr<const void> owner = Environment::of(value.Env()).keep(arrays);
  HostBlock block;
  for (std::uint32_t i = 0; i < arrays.Length(); ++i) {
    const ArrayBytes bytes = bytes_of(arrays.Get(i));
    block.push_back({owner, bytes.data, bytes.size});
  }
  return block;
}

RunRequest decode_request(const Napi::Object& object) {
  RunRequest request;
  const auto microbatches = object.Get("microbatches").As<Napi::Array>();
  for (std::uint32_t m = 0; m < microbatches.Length(); ++m) {
    const Napi::Value value = microbatches.Get(m);
    Microbatch& microbatch = request.microbatches.emplace_back();
    if (value.IsNumber()) microbatch.staged = staged_id(value);
    else microbatch.inputs = copied_block(value);
  }
  bool lossless = false;
  request.params.seed = object.Get("seed").As<Napi::BigInt>().Uint64Value(&lossless);
  request.params.step = static_cast<std::uint64_t>(object.Get("step").As<Napi::Number>().Int64Value());
  const auto rates = object.Get("learningRates").As<Napi::Array>();
  if (rates.Length() > static_cast<std::uint32_t>(kMaxGroups))
    fail(ErrorCode::InvalidArgument, "at most ", kMaxGroups, " parameter groups, got ", rates.Length());
  for (std::uint32_t i = 0; i < rates.Length(); ++i) request.params.learningRate[i] = rates.Get(i).As<Napi::Number>().FloatValue();
  request.profile = object.Get("profile").ToBoolean();
  return request;
}

Napi::Value encode_result(Napi::Env env, const PlanDesc& desc, const RunResult& result) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array outputs = Napi::Array::New(env);
  for (std::size_t i = 0; i < result.outputs.size(); ++i)
    outputs.Set(static_cast<std::uint32_t>(i), encode_array(env, desc.tensors[desc.outputs[i].tensor].desc.dtype, result.outputs[i]));
  object.Set("outputs", outputs);
  Napi::Array seconds = Napi::Array::New(env);
  for (std::size_t i = 0; i < result.node_seconds.size(); ++i)
    seconds.Set(static_cast<std::uint32_t>(i), Napi::Number::New(env, result.node_seconds[i]));
  object.Set("nodeSeconds", seconds);
  return object;
}

}  // namespace

Napi::Value NativePlan::stage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = this->plan(env);
  const std::uint64_t id = staged_id(info[0]);
  auto block = std::make_shared<HostBlock>(translated(env, [&] { return kept_block(info[1]); }));
  runner_->post([=] { plan->stage(id, std::move(*block)); });
  return env.Undefined();
}

Napi::Value NativePlan::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = this->plan(env);
  auto request = std::make_shared<RunRequest>(translated(env, [&] { return decode_request(info[0].As<Napi::Object>()); }));
  auto result = std::make_shared<RunResult>();
  auto flag = std::make_shared<std::atomic<bool>>(false);
  const std::int64_t times = info[0].As<Napi::Object>().Get("times").As<Napi::Number>().Int64Value();
  const auto start = [=]() -> Environment::Rest {
    for (std::int64_t i = 1; i < times; ++i) {
      PendingRun earlier = plan->start(*request, *flag);
      while (!Plan::arrived(earlier)) std::this_thread::yield();
      plan->finish(std::move(earlier));
    }
    auto run = std::make_shared<PendingRun>(plan->start(*request, *flag));
    if (!run->outlet) {
      *result = plan->finish(std::move(*run));
      return {};
    }
    return {[run] { return Plan::arrived(*run); }, [=] { *result = plan->finish(std::move(*run)); }};
  };
  Napi::Object handle = Napi::Object::New(env);
  const auto done = [=](Napi::Env env) { return encode_result(env, plan->desc(), *result); };
  handle.Set("promise", Environment::of(env).submit_started(env, *runner_, start, done, flag));
  handle.Set("abort", Napi::Function::New(env, [flag](const Napi::CallbackInfo&) { *flag = true; }));
  return handle;
}

Napi::Value NativePlan::dispose(const Napi::CallbackInfo& info) {
  let_go(info.Env());
  return info.Env().Undefined();
}

void NativePlan::Finalize(Napi::Env env) { let_go(env); }

void NativePlan::let_go(Napi::Env env) {
  if (!plan_) return;
  plan_.reset();
  Environment::of(env).adjust_memory(env, -bytes_);
  bytes_ = 0;
}

}  // namespace eraserelu
