// CUDA's calls about graphs: instantiation, launches, and objects that graphs keep alive.
#include <map>

#include "errors.h"
#include "graphs.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

struct Executable {
  std::shared_ptr<const Graph> graph;
  Ticket last;   // its launches run one after the other
};

struct Holding {
  std::shared_ptr<UserObject> object;
  unsigned int count;   // references of the caller
};

// Never destroyed: other threads may still be at work when the process ends.
std::map<cudaGraphExec_t, std::unique_ptr<Executable>>& executables = *new std::map<cudaGraphExec_t, std::unique_ptr<Executable>>;
std::map<cudaUserObject_t, Holding>& holdings = *new std::map<cudaUserObject_t, Holding>;

Executable* executable_of(cudaGraphExec_t handle) {
  const auto found = executables.find(handle);
  return found == executables.end() ? nullptr : found->second.get();
}

void replay(const Graph& graph) {
  for (const std::size_t each : replay_order(graph)) {
    const Node& node = graph.nodes[each];
    perform(node.device, node.name, node.run);
  }
}

cudaError_t let_go(cudaUserObject_t handle, unsigned int count) {
  const auto found = holdings.find(handle);
  if (found == holdings.end() || count > found->second.count) return cudaErrorInvalidValue;
  found->second.count -= count;
  if (found->second.count == 0) holdings.erase(found);
  return cudaSuccess;
}

}  // namespace

std::size_t simulated_cuda::live_executables() { return executables.size(); }

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* handle, cudaGraph_t graph_handle, unsigned long long flags) {
  return call(__func__, [&] {
    const std::shared_ptr<Graph> graph = graph_of(graph_handle);
    if (graph == nullptr || flags != 0) return cudaErrorInvalidValue;
    auto made = std::make_unique<Executable>();
    made->graph = std::make_shared<const Graph>(*graph);
    *handle = reinterpret_cast<cudaGraphExec_t>(made.get());
    executables[*handle] = std::move(made);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream_handle) {
  return call(__func__, [&] {
    Executable* executable = executable_of(handle);
    if (executable == nullptr) return cudaErrorInvalidValue;
    const std::shared_ptr<Stream> stream = stream_of(stream_handle);
    if (stream != nullptr && stream->capture == nullptr && !executable->last.done())
      append(stream, {"earlier launch of the graph", [] {}, {executable->last}});
    const cudaError_t error = enqueue(stream_handle, "graph", [graph = executable->graph] { replay(*graph); });
    if (error == cudaSuccess && stream->capture == nullptr) executable->last = end_of(stream);
    return error;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t handle, cudaStream_t) {
  return call(__func__, [&] { return executable_of(handle) == nullptr ? cudaErrorInvalidValue : cudaSuccess; });
}

/// Without an array only the number of nodes is asked for.
cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, std::size_t* count) {
  return call(__func__, [&] {
    const std::shared_ptr<Graph> graph = graph_of(handle);
    if (graph == nullptr || count == nullptr) return cudaErrorInvalidValue;
    if (nodes != nullptr) return cudaErrorNotSupported;
    *count = graph->nodes.size();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  return call(__func__, [&] {
    const std::shared_ptr<Graph> graph = graph_of(handle);
    if (graph == nullptr) return cudaErrorInvalidValue;
    forget_graph(graph);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  return call(__func__, [&] { return executables.erase(handle) == 1 ? cudaSuccess : cudaErrorInvalidValue; });
}

cudaError_t cudaUserObjectCreate(cudaUserObject_t* handle, void* pointer, cudaHostFn_t destroy, unsigned int count,
                                 unsigned int flags) {
  return call(__func__, [&] {
    if (handle == nullptr || destroy == nullptr || count == 0) return cudaErrorInvalidValue;
    if (flags != cudaUserObjectNoDestructorSync) return cudaErrorInvalidValue;
    const auto made = std::make_shared<UserObject>(pointer, destroy);
    *handle = reinterpret_cast<cudaUserObject_t>(made.get());
    holdings[*handle] = {made, count};
    return cudaSuccess;
  });
}

cudaError_t cudaUserObjectRelease(cudaUserObject_t handle, unsigned int count) {
  return call(__func__, [&] { return let_go(handle, count); });
}

cudaError_t cudaGraphRetainUserObject(cudaGraph_t handle, cudaUserObject_t object, unsigned int count, unsigned int flags) {
  return call(__func__, [&] {
    const std::shared_ptr<Graph> graph = graph_of(handle);
    const auto found = holdings.find(object);
    if (graph == nullptr || found == holdings.end() || flags > cudaGraphUserObjectMove) return cudaErrorInvalidValue;
    graph->kept.insert(graph->kept.end(), count, found->second.object);
    return flags == cudaGraphUserObjectMove ? let_go(object, count) : cudaSuccess;
  });
}
