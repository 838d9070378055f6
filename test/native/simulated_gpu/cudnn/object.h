// Backend descriptors: reference-counted objects with a map of attributes. A descriptor handle owns one reference, and setting a
// descriptor attribute adds another, because callers destroy their handles as soon as they have passed them on.
#pragma once

#include <cudnn_graph.h>

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "errors.h"

namespace simulated_cudnn {

struct Object;
using ObjectRef = std::shared_ptr<Object>;

struct Attribute {
  cudnnBackendAttributeType_t type;
  std::int64_t count = 0;
  std::vector<char> bytes;   // count elements, unless they are descriptors
  std::vector<ObjectRef> children;   // for CUDNN_TYPE_BACKEND_DESCRIPTOR
};

struct Object {
  explicit Object(cudnnBackendDescriptorType_t type) : type(type) {}

  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes;

  bool has(cudnnBackendAttributeName_t name) const { return attributes.count(name) != 0; }
  const Attribute& at(cudnnBackendAttributeName_t name) const;

  /// The only child of a descriptor attribute; nullptr where the attribute is absent.
  ObjectRef child(cudnnBackendAttributeName_t name) const;
  std::vector<std::int64_t> integers(cudnnBackendAttributeName_t name) const;   // int64, or fractions with denominator 1
  double real(cudnnBackendAttributeName_t name, double absent) const;   // float or double

  /// A scalar of any type with the size of T: an enum, an int32, a pointer.
  template <typename T>
  T value(cudnnBackendAttributeName_t name) const {
    const Attribute& attribute = at(name);
    T result{};
    if (attribute.bytes.size() < sizeof result)
      fail(CUDNN_STATUS_INTERNAL_ERROR, "attribute ", name, " is shorter than expected");
    std::memcpy(&result, attribute.bytes.data(), sizeof result);
    return result;
  }
  template <typename T>
  T value_or(cudnnBackendAttributeName_t name, T absent) const {
    return has(name) ? value<T>(name) : absent;
  }

  template <typename T>
  void store(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const std::vector<T>& values) {
    Attribute attribute{type, static_cast<std::int64_t>(values.size()), {}, {}};
    const char* first = reinterpret_cast<const char*>(values.data());
    attribute.bytes.assign(first, first + values.size() * sizeof(T));
    attributes[name] = std::move(attribute);
  }
  void store_children(cudnnBackendAttributeName_t name, std::vector<ObjectRef> children);
};

/// Bytes of one element; 0 for an unknown type.
std::size_t element_size(cudnnBackendAttributeType_t type);

}  // namespace simulated_cudnn
