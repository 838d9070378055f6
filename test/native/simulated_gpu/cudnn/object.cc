#include "object.h"

namespace simulated_cudnn {

const Attribute& Object::at(cudnnBackendAttributeName_t name) const {
  const auto entry = attributes.find(name);
  if (entry == attributes.end()) fail(CUDNN_STATUS_BAD_PARAM, "descriptor of type ", type, " has no attribute ", name);
  return entry->second;
}

ObjectRef Object::child(cudnnBackendAttributeName_t name) const {
  const auto entry = attributes.find(name);
  return entry == attributes.end() || entry->second.children.empty() ? nullptr : entry->second.children.front();
}

std::vector<std::int64_t> Object::integers(cudnnBackendAttributeName_t name) const {
  const Attribute& attribute = at(name);
  std::vector<std::int64_t> values(attribute.bytes.size() / sizeof(std::int64_t));
  std::memcpy(values.data(), attribute.bytes.data(), attribute.bytes.size());
  if (attribute.type != CUDNN_TYPE_FRACTION) return values;
  std::vector<std::int64_t> wholes;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (values[i + 1] != 1)
      fail(CUDNN_STATUS_NOT_SUPPORTED, "attribute ", name, " has a denominator of ", values[i + 1], "; only 1 is supported");
    wholes.push_back(values[i]);
  }
  return wholes;
}

double Object::real(cudnnBackendAttributeName_t name, double absent) const {
  if (!has(name)) return absent;
  return at(name).type == CUDNN_TYPE_DOUBLE ? value<double>(name) : static_cast<double>(value<float>(name));
}

void Object::store_children(cudnnBackendAttributeName_t name, std::vector<ObjectRef> children) {
  const auto count = static_cast<std::int64_t>(children.size());
  attributes[name] = Attribute{CUDNN_TYPE_BACKEND_DESCRIPTOR, count, {}, std::move(children)};
}

std::size_t element_size(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_FRACTION: return 16;
    default: return type >= CUDNN_TYPE_HANDLE && type <= CUDNN_TYPE_CUDA_GRAPH_RETENTION ? 4 : 0;   // float, int32 and all enums
  }
}

}  // namespace simulated_cudnn
