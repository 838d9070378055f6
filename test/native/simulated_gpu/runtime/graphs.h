// Graphs of captured work: every node remembers what it comes after, and a replay takes any order that respects this.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace simulated_cuda {

struct Node {
  std::string name;
  int device;
  std::function<void()> run;
  std::vector<std::size_t> after;   // earlier nodes; that of its own stream first
};

/// An object of the user that lives as long as somebody holds it.
struct UserObject {
  UserObject(void* pointer, cudaHostFn_t destroy) : pointer(pointer), destroy(destroy) {}
  UserObject(const UserObject&) = delete;
  ~UserObject();

  void* pointer;
  cudaHostFn_t destroy;
};

struct Graph {
  std::vector<Node> nodes;
  std::vector<std::size_t> last;   // what the capture ended with; everything is reached from there
  std::vector<std::shared_ptr<UserObject>> kept;
};

std::shared_ptr<Graph> make_graph();
void forget_graph(const std::shared_ptr<Graph>& graph);
cudaGraph_t handle_of(const std::shared_ptr<Graph>& graph);
std::shared_ptr<Graph> graph_of(cudaGraph_t handle);   // nullptr when the handle names no graph
std::size_t live_graphs();
std::size_t live_executables();

/// By node: whether it is one of `ends` or something that comes before them.
std::vector<bool> reached_from(const Graph& graph, const std::vector<std::size_t>& ends);

/// Forward: a stream runs on until it needs another one. Backward: the other streams first. Shuffled: any node that is ready.
std::vector<std::size_t> replay_order(const Graph& graph);

}  // namespace simulated_cuda
