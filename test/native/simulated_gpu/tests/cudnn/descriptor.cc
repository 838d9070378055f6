#include "tests/cudnn/descriptor.h"

#include <cuda_runtime_api.h>

#include <stdexcept>

namespace frontend {

void need(cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char text[512];
  cudnnGetLastErrorString(text, sizeof text);
  throw std::runtime_error(std::string(cudnnGetErrorString(status)) + ": " + text);
}

std::unique_ptr<Descriptor> make_tensor(std::int64_t uid, const Dims& dims, cudnnDataType_t type) {
  auto tensor = std::make_unique<Descriptor>(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor->set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector<cudnnDataType_t>{type})
      .set_integers(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
      .set_integers(CUDNN_ATTR_TENSOR_STRIDES, {dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]})
      .set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {uid})
      .set_integers(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16})
      .finalise();
  return tensor;
}

void run_operation(const Descriptor& operation, const std::map<Id, void*>& pointers) {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set_child(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation).finalise();
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR), config(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR),
      plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  engine.set_child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph).set_integers(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, {5}).finalise();
  config.set_child(CUDNN_ATTR_ENGINECFG_ENGINE, engine).finalise();
  plan.set_child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config).finalise();
  Dims uids;
  std::vector<void*> memory;
  for (const auto& [uid, pointer] : pointers) {
    uids.push_back(uid);
    memory.push_back(pointer);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set_integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, memory)
      .finalise();
  cudnnHandle_t handle;
  need(cudnnCreate(&handle));
  need(cudnnBackendExecute(handle, plan.get(), pack.get()));
  need(cudnnDestroy(handle));
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess)
    throw std::runtime_error(cudaGetErrorString(error));
}

}  // namespace frontend
