// Decoding of JavaScript objects into native descriptions; field by field as src/runtime/plan_desc.ts declares them.
#pragma once

#include <napi.h>

#include <cstddef>
#include <vector>

#include "plan/plan_desc.h"

namespace eraserelu {

PlanDesc decode_plan(const Napi::Object& desc);

/// The bytes of a typed array.
/// Where the bytes of a typed array are.
struct ArrayBytes {
  const std::byte* data;
  std::size_t size;
};
ArrayBytes bytes_of(const Napi::Value& value);

std::vector<std::byte> decode_bytes(const Napi::Value& array);

/// A fresh typed array of the tensor's type with these bytes (16-bit floats come as Uint16Array).
Napi::Value encode_array(Napi::Env env, DType dtype, const std::vector<std::byte>& bytes);

}  // namespace eraserelu
