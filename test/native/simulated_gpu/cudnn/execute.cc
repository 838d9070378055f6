#include "execute.h"

#include <chrono>
#include <thread>

#include "engines.h"
#include "finalise.h"
#include "interpreter/operations.h"
#include "runtime_link.h"

namespace simulated_cudnn {
namespace {

/// What one execution needs; a captured graph keeps it and runs it again at every replay.
struct Execution {
  Graph graph;
  Engine engine;
  std::map<std::int64_t, void*> addresses;
  std::map<std::int64_t, std::vector<char>> scalars;   // passed by value: read at the call, not when the stream runs
  void* workspace = nullptr;
  std::string complaint;

  const char* run() {
    try {
      // The workspace holds nothing between executions; overwriting all of it finds one that is too small or shared with live
      // data.
      if (engine.workspace > 0) std::memset(workspace, 0xA5, static_cast<std::size_t>(engine.workspace));
      if (engine.time > 0) std::this_thread::sleep_for(std::chrono::milliseconds(engine.time));
      Memory memory(graph, addresses, distortion_of(engine), engine.faults);
      run_graph(graph, memory);
      return nullptr;
    } catch (const std::exception& error) {
      complaint = error.what();
      return complaint.c_str();
    }
  }
};

void need_device_memory(const void* first, std::int64_t bytes, const std::string& what) {
  if (first == nullptr) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, what, " has no pointer");
  if (!is_device_memory(first) || !is_device_memory(static_cast<const char*>(first) + bytes - 1))
    fail(CUDNN_STATUS_BAD_PARAM, what, " of ", bytes, " bytes is not in device memory");
}

std::map<std::int64_t, void*> pointers_of(const Object& variantPack) {
  const std::vector<std::int64_t> uids = variantPack.integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  std::vector<void*> pointers(uids.size());
  std::memcpy(pointers.data(), variantPack.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).bytes.data(),
              pointers.size() * sizeof(void*));
  std::map<std::int64_t, void*> result;
  for (std::size_t i = 0; i < uids.size(); ++i)
    if (!result.emplace(uids[i], pointers[i]).second)
      fail(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "unique id ", uids[i], " stands twice in the variant pack");
  return result;
}

void bind(Execution& execution, const Object& variantPack) {
  const std::map<std::int64_t, void*> pointers = pointers_of(variantPack);
  for (const auto& [uid, tensor] : execution.graph.tensors) {
    if (tensor.isVirtual) continue;
    const std::string name = "tensor " + std::to_string(uid);
    const auto entry = pointers.find(uid);
    if (entry == pointers.end() || entry->second == nullptr) fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, name, " has no pointer");
    void* pointer = entry->second;
    if (tensor.byValue) {
      if (is_device_memory(pointer)) fail(CUDNN_STATUS_BAD_PARAM, name, " is passed by value but points to device memory");
      const char* bytes = static_cast<const char*>(pointer);
      execution.scalars[uid].assign(bytes, bytes + tensor.bytes());
      pointer = execution.scalars[uid].data();
    } else {
      need_device_memory(pointer, tensor.bytes(), name);
      if (reinterpret_cast<std::uintptr_t>(pointer) % static_cast<std::uintptr_t>(tensor.alignment) != 0)
        fail(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, name, " is not aligned to ", tensor.alignment, " bytes");
    }
    execution.addresses[uid] = pointer;
  }
  if (execution.engine.workspace == 0) return;
  execution.workspace = variantPack.value_or<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
  need_device_memory(execution.workspace, execution.engine.workspace, "the workspace");
}

}  // namespace

void execute(const ObjectRef& plan, const Object& variantPack, cudaStream_t stream) {
  const auto execution = std::make_shared<Execution>();
  execution->graph = graph_of(graph_of_plan(*plan));
  execution->engine = engine_of(engine_of_plan(*plan).value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
  execution->engine.workspace = plan->value<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  bind(*execution, variantPack);
  enqueue(stream, [execution] { return execution->run(); });
}

}  // namespace simulated_cudnn
