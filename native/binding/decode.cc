#include "binding/decode.h"

#include <cstring>

#include "base/error.h"

namespace eraserelu {

namespace {

std::string text(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::String>().Utf8Value(); }
std::int64_t integer(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().Int64Value(); }
bool flag(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Boolean>().Value(); }

template <typename Decode>
void each(const Napi::Object& object, const char* key, Decode decode) {
  const Napi::Array array = object.Get(key).As<Napi::Array>();
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    Napi::HandleScope scope(object.Env());
    decode(array.Get(i));
  }
}

template <typename T>
std::vector<T> numbers(const Napi::Object& object, const char* key) {
  std::vector<T> values;
  each(object, key, [&](const Napi::Value& value) { values.push_back(static_cast<T>(value.As<Napi::Number>().DoubleValue())); });
  return values;
}

Place place_named(const std::string& name) {
  if (name == "arena") return Place::arena;
  if (name == "view") return Place::view;
  if (name == "store") return Place::store;
  if (name == "input") return Place::input;
  if (name == "resident") return Place::resident;
  fail(ErrorCode::Internal, "unknown place '", name, "'");
}

TensorEntry decode_tensor(const Napi::Object& object) {
  TensorEntry entry;
  entry.name = text(object, "name");
  entry.desc.dtype = dtype_named(text(object, "dtype"));
  entry.desc.shape = numbers<std::int64_t>(object, "shape");
  entry.desc.parameter = flag(object, "parameter");
  entry.desc.pitch = integer(object, "pitch");
  entry.place = place_named(text(object, "place"));
  entry.of = static_cast<int>(integer(object, "of"));
  entry.offset = integer(object, "offset");
  entry.arena = text(object, "arena");
  entry.whole_step = flag(object, "wholeStep");
  return entry;
}

Attributes decode_attributes(const Napi::Object& object) {
  Attributes attributes;
  const Napi::Array names = object.GetPropertyNames();
  for (std::uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    const Napi::Value value = object.Get(name);
    if (value.IsNumber()) attributes.set(name, value.As<Napi::Number>().DoubleValue());
    else if (value.IsString()) attributes.set(name, value.As<Napi::String>().Utf8Value());
    else attributes.set(name, numbers<double>(object, name.c_str()));
  }
  return attributes;
}

NodeEntry decode_node(const Napi::Object& object, std::size_t tensors) {
  NodeEntry entry;
  entry.name = text(object, "name");
  entry.spec = &op_spec(text(object, "op"));
  entry.section = text(object, "section") == "update" ? Section::update : Section::gradient;
  entry.reads = numbers<int>(object, "reads");
  entry.writes = numbers<int>(object, "writes");
  entry.attributes = decode_attributes(object.Get("attributes").As<Napi::Object>());
  for (const auto* operands : {&entry.reads, &entry.writes})
    for (int tensor : *operands) check(tensor < static_cast<int>(tensors), "node '", entry.name, "' names a tensor that does not exist");
  return entry;
}

Policy decode_policy(const Napi::Object& object) {
  const auto given = object.Get("choices").As<Napi::Object>();
  const Napi::Array computed = given.GetPropertyNames();
  EngineChoices choices;
  for (std::uint32_t i = 0; i < computed.Length(); ++i) {
    const std::string each = computed.Get(i).As<Napi::String>().Utf8Value();
    choices[each] = text(given, each.c_str());
  }
  return {flag(object, "deterministic"), flag(object, "autotune"), choices, flag(object, "tf32"),
          flag(object, "ownConvolutions"), integer(object, "workspaceLimit")};
}

}  // namespace

PlanDesc decode_plan(const Napi::Object& object) {
  PlanDesc desc;
  desc.checked = flag(object, "checked");
  desc.chunkMemory = flag(object, "chunkMemory");
  desc.policy = decode_policy(object.Get("policy").As<Napi::Object>());
  each(object, "tensors", [&](const Napi::Value& value) { desc.tensors.push_back(decode_tensor(value.As<Napi::Object>())); });
  each(object, "nodes", [&](const Napi::Value& value) {
    desc.nodes.push_back(decode_node(value.As<Napi::Object>(), desc.tensors.size()));
  });
  each(object, "regions", [&](const Napi::Value& value) {
    const auto region = value.As<Napi::Object>();
    desc.regions.push_back({static_cast<int>(integer(region, "begin")), static_cast<int>(integer(region, "end")),
                            integer(region, "chunk")});
  });
  each(object, "outputs", [&](const Napi::Value& value) {
    const auto output = value.As<Napi::Object>();
    desc.outputs.push_back({text(output, "name"), static_cast<int>(integer(output, "tensor"))});
  });
  return desc;
}

ArrayBytes bytes_of(const Napi::Value& value) {
  if (!value.IsTypedArray()) fail(ErrorCode::InvalidArgument, "expected a typed array");
  // The plain call, because node-addon-api knows no arrays over a SharedArrayBuffer.
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok)
    fail(ErrorCode::InvalidArgument, "the typed array cannot be read");
  return {static_cast<const std::byte*>(data), value.As<Napi::TypedArray>().ByteLength()};
}

std::vector<std::byte> decode_bytes(const Napi::Value& value) {
  const ArrayBytes bytes = bytes_of(value);
  return std::vector<std::byte>(bytes.data, bytes.data + bytes.size);
}

Napi::Value encode_array(Napi::Env env, DType dtype, const std::vector<std::byte>& bytes) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.Data(), bytes.data(), bytes.size());
  const std::size_t length = bytes.size() / bytes_of(dtype);
  switch (dtype) {
    case DType::f32: return Napi::Float32Array::New(env, length, buffer, 0);
    case DType::i32: return Napi::Int32Array::New(env, length, buffer, 0);
    case DType::u8: return Napi::Uint8Array::New(env, length, buffer, 0);
    default: return Napi::Uint16Array::New(env, length, buffer, 0);
  }
}

}  // namespace eraserelu
