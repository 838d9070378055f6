// The C functions of libcudnn.so.9 that cudnn-frontend looks up.
#pragma GCC visibility push(default)
#include <cudnn.h>
#pragma GCC visibility pop

#include <algorithm>
#include <atomic>

#include "attribute_rules.h"
#include "execute.h"
#include "finalise.h"
#include "sim_cudnn.h"

using namespace simulated_cudnn;

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

std::atomic<long> descriptors{0};

/// What a descriptor handle points to.
ObjectRef& object_of(cudnnBackendDescriptor_t descriptor) {
  if (descriptor == nullptr) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "the descriptor is null");
  return *static_cast<ObjectRef*>(descriptor);
}

ObjectRef finalised_object(cudnnBackendDescriptor_t descriptor, cudnnBackendDescriptorType_t type) {
  const ObjectRef object = object_of(descriptor);
  if (object->type != type)
    fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a descriptor of type ", object->type, " where ", type, " is needed");
  if (!object->finalized) fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a descriptor of type ", type, " is not finalised");
  return object;
}

void need_type(const AttributeRule& rule, cudnnBackendAttributeType_t type) {
  if (std::find(rule.types.begin(), rule.types.end(), type) == rule.types.end())
    fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, rule.text, " is not of attribute type ", type);
}

void set(Object& object, const AttributeRule& rule, cudnnBackendAttributeType_t type, std::int64_t count, const void* elements) {
  if (object.finalized) fail(CUDNN_STATUS_BAD_PARAM, rule.text, ": the descriptor is finalised");
  if (rule.need == Need::readOnly) fail(CUDNN_STATUS_BAD_PARAM, rule.text, " is read-only");
  need_type(rule, type);
  if (count < rule.atLeast || count > rule.atMost) fail(CUDNN_STATUS_BAD_PARAM, rule.text, " cannot have ", count, " elements");
  if (elements == nullptr && count > 0) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, rule.text, ": no elements");
  Attribute attribute{type, count, {}, {}};
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < count; ++i) {
      attribute.children.push_back(object_of(static_cast<const cudnnBackendDescriptor_t*>(elements)[i]));
      if (!attribute.children.back()->finalized)
        fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, rule.text, ": the descriptor given is not finalised");
    }
  } else {
    const char* first = static_cast<const char*>(elements);
    attribute.bytes.assign(first, first + static_cast<std::size_t>(count) * element_size(type));
  }
  object.attributes[rule.name] = std::move(attribute);
}

/// Copies at most `requested` elements; without an array only the count is told. Descriptors are made by the caller and filled
/// here.
void get(const Object& object, const AttributeRule& rule, cudnnBackendAttributeType_t type, std::int64_t requested,
         std::int64_t* count, void* elements) {
  if (!object.finalized) fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, rule.text, ": the descriptor is not finalised");
  need_type(rule, type);
  if (!object.has(rule.name)) fail(CUDNN_STATUS_BAD_PARAM, rule.text, " is not set");
  const Attribute& attribute = object.at(rule.name);
  if (attribute.type != type)
    fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, rule.text, " was set with attribute type ", attribute.type);
  if (count != nullptr) *count = attribute.count;
  if (elements == nullptr) return;
  const std::int64_t copied = std::min(requested, attribute.count);
  if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    std::memcpy(elements, attribute.bytes.data(), static_cast<std::size_t>(copied) * element_size(type));
    return;
  }
  for (std::int64_t i = 0; i < copied; ++i) {
    ObjectRef& target = object_of(static_cast<cudnnBackendDescriptor_t*>(elements)[i]);
    const ObjectRef& source = attribute.children[static_cast<std::size_t>(i)];
    if (target->type != source->type)
      fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, rule.text, ": a descriptor of another type was given to be filled");
    target = source;
  }
}

cudnnContext& context_of(cudnnHandle_t handle) {
  if (handle == nullptr) fail(CUDNN_STATUS_NOT_INITIALIZED, "the handle is null");
  return *handle;
}

}  // namespace

size_t cudnnGetVersion() { return CUDNN_VERSION; }
size_t cudnnGetCudartVersion() { return CUDART_VERSION; }

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return guarded(__func__, [&] { *handle = new cudnnContext; });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return guarded(__func__, [&] { delete &context_of(handle); });
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return guarded(__func__, [&] { context_of(handle).stream = stream; });
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return guarded(__func__, [&] { *stream = context_of(handle).stream; });
}

const char* cudnnGetErrorString(cudnnStatus_t status) {
  static const std::pair<cudnnStatus_t, const char*> names[] = {
#define NAME(STATUS) {STATUS, #STATUS}
      NAME(CUDNN_STATUS_SUCCESS),
      NAME(CUDNN_STATUS_NOT_INITIALIZED),
      NAME(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH),
      NAME(CUDNN_STATUS_BAD_PARAM),
      NAME(CUDNN_STATUS_BAD_PARAM_NULL_POINTER),
      NAME(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER),
      NAME(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED),
      NAME(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH),
      NAME(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES),
      NAME(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE),
      NAME(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE),
      NAME(CUDNN_STATUS_NOT_SUPPORTED),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_SHAPE),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_PADDING),
      NAME(CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API),
      NAME(CUDNN_STATUS_INTERNAL_ERROR),
      NAME(CUDNN_STATUS_EXECUTION_FAILED),
      NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDART),
#undef NAME
  };
  for (const auto& [known, name] : names)
    if (known == status) return name;
  return "CUDNN_STATUS_UNKNOWN";
}

void cudnnGetLastErrorString(char* message, size_t size) {
  if (size == 0) return;
  const std::string text = last_error();
  message[text.copy(message, size - 1)] = '\0';
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  return guarded(__func__, [&] {
    rules_of(type);
    const auto count_down = [](Object* object) {
      --descriptors;
      delete object;
    };
    *descriptor = new ObjectRef(new Object(type), count_down);
    ++descriptors;
  });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  return guarded(__func__, [&] { delete &object_of(descriptor); });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  return guarded(__func__, [&] { finalise(object_of(descriptor)); });
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void* elements) {
  return guarded(__func__, [&] {
    Object& object = *object_of(descriptor);
    set(object, rule_of(object.type, name), type, count, elements);
  });
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t requested, int64_t* count, void* elements) {
  return guarded(__func__, [&] {
    const ObjectRef object = object_of(descriptor);
    get(*object, rule_of(object->type, name), type, requested, count, elements);
  });
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t variantPack) {
  return guarded(__func__, [&] {
    const ObjectRef pack = finalised_object(variantPack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    execute(finalised_object(plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), *pack, context_of(handle).stream);
  });
}

cudnnStatus_t cudnnGetExecutionPlanWorkspaceSize(cudnnHandle_t, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t,
                                                 size_t* bytes) {
  return guarded(__func__, [&] {
    const ObjectRef object = finalised_object(plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    *bytes = static_cast<size_t>(object->value<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  });
}

// No engine has the behaviour note SUPPORTS_CUDA_GRAPH_NATIVE_API.
cudnnStatus_t cudnnBackendPopulateCudaGraph(cudnnHandle_t, cudnnBackendDescriptor_t, cudnnBackendDescriptor_t, cudaGraph_t) {
  return guarded(__func__, [] { fail(CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API, "capture the stream instead"); });
}

cudnnStatus_t cudnnBackendUpdateCudaGraph(cudnnHandle_t, cudnnBackendDescriptor_t, cudnnBackendDescriptor_t, cudaGraph_t) {
  return guarded(__func__, [] { fail(CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API, "capture the stream instead"); });
}

long simCudnnDescriptors() { return descriptors; }

const char* simCudnnLastKey() { return last_key().c_str(); }
