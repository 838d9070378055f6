// cuDNN's backend calls by hand, for what cudnn-frontend cannot express and for misuse. A failed call is a std::runtime_error
// with its text.
#pragma once

#include <cudnn.h>

#include <map>
#include <memory>
#include <vector>

#include "frontend/frontend_graph.h"

namespace frontend {

void need(cudnnStatus_t status);

/// A backend descriptor; destroyed with this object.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) { need(cudnnBackendCreateDescriptor(type, &descriptor_)); }
  ~Descriptor() { cudnnBackendDestroyDescriptor(descriptor_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  template <typename T>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const std::vector<T>& values) {
    need(cudnnBackendSetAttribute(descriptor_, name, type, static_cast<std::int64_t>(values.size()), values.data()));
    return *this;
  }
  Descriptor& set_integers(cudnnBackendAttributeName_t name, const Dims& values) { return set(name, CUDNN_TYPE_INT64, values); }
  Descriptor& set_child(cudnnBackendAttributeName_t name, const Descriptor& child) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector<cudnnBackendDescriptor_t>{child.get()});
  }
  Descriptor& finalise() {
    need(cudnnBackendFinalize(descriptor_));
    return *this;
  }
  cudnnBackendDescriptor_t get() const { return descriptor_; }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

/// A finalised channels-last tensor.
std::unique_ptr<Descriptor> make_tensor(std::int64_t uid, const Dims& dims, cudnnDataType_t type);

/// Runs a graph of one operation by its only plan of the first engine.
void run_operation(const Descriptor& operation, const std::map<Id, void*>& pointers);

}  // namespace frontend
