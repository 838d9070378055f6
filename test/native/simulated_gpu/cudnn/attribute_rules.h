// Which attributes each descriptor type takes, of which type and length, and which it needs before it can be finalised. The
// source is the comment above each CUDNN_BACKEND_*_DESCRIPTOR in cudnn_graph.h ("Supported attributes").
#pragma once

#include <vector>

#include "object.h"

namespace simulated_cudnn {

enum class Need { required, optional, readOnly };

struct AttributeRule {
  cudnnBackendAttributeName_t name;
  const char* text;
  std::vector<cudnnBackendAttributeType_t> types;
  std::int64_t atLeast;
  std::int64_t atMost;
  Need need;
};

/// Throws NOT_SUPPORTED for a descriptor type that the stand-in does not know.
const std::vector<AttributeRule>& rules_of(cudnnBackendDescriptorType_t type);

/// Throws BAD_PARAM when this descriptor type has no such attribute.
const AttributeRule& rule_of(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name);

}  // namespace simulated_cudnn
