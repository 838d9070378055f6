// Graphs and the orders in which they can run.
#include "graphs.h"

#include <algorithm>
#include <map>

#include "order.h"
#include "streams.h"

namespace simulated_cuda {
namespace {

// Never destroyed: other threads may still be at work when the process ends.
std::map<cudaGraph_t, std::shared_ptr<Graph>>& graphs = *new std::map<cudaGraph_t, std::shared_ptr<Graph>>;

/// Visits what a node comes after, then the node; backward takes the other streams first.
class DepthFirst {
 public:
  explicit DepthFirst(const Graph& graph) : graph_(graph), seen_(graph.nodes.size()) {}

  void visit(std::vector<std::size_t> nodes) {
    if (order() == Order::backward) std::reverse(nodes.begin(), nodes.end());
    for (const std::size_t node : nodes) {
      if (seen_[node]) continue;
      seen_[node] = true;
      visit(graph_.nodes[node].after);
      visited_.push_back(node);
    }
  }

  const std::vector<std::size_t>& visited() const { return visited_; }

 private:
  const Graph& graph_;
  std::vector<bool> seen_;
  std::vector<std::size_t> visited_;
};

std::vector<std::size_t> shuffled_order(const Graph& graph) {
  std::vector<std::size_t> waits, ready, order;
  std::vector<std::vector<std::size_t>> followers(graph.nodes.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    for (const std::size_t each : graph.nodes[node].after) followers[each].push_back(node);
    waits.push_back(graph.nodes[node].after.size());
    if (waits.back() == 0) ready.push_back(node);
  }
  while (!ready.empty()) {
    std::swap(ready[random_below(ready.size())], ready.back());
    const std::size_t node = ready.back();
    ready.pop_back();
    order.push_back(node);
    for (const std::size_t each : followers[node])
      if (--waits[each] == 0) ready.push_back(each);
  }
  return order;
}

}  // namespace

UserObject::~UserObject() {
  call_host([this] { destroy(pointer); });
}

std::shared_ptr<Graph> make_graph() {
  auto made = std::make_shared<Graph>();
  graphs[handle_of(made)] = made;
  return made;
}

void forget_graph(const std::shared_ptr<Graph>& graph) { graphs.erase(handle_of(graph)); }

cudaGraph_t handle_of(const std::shared_ptr<Graph>& graph) { return reinterpret_cast<cudaGraph_t>(graph.get()); }

std::shared_ptr<Graph> graph_of(cudaGraph_t handle) {
  const auto found = graphs.find(handle);
  return found == graphs.end() ? nullptr : found->second;
}

std::size_t live_graphs() { return graphs.size(); }

std::vector<bool> reached_from(const Graph& graph, const std::vector<std::size_t>& ends) {
  std::vector<bool> reached(graph.nodes.size());
  for (const std::size_t each : ends) reached[each] = true;
  for (std::size_t node = graph.nodes.size(); node-- > 0;)   // nodes come after earlier ones only
    if (reached[node])
      for (const std::size_t each : graph.nodes[node].after) reached[each] = true;
  return reached;
}

std::vector<std::size_t> replay_order(const Graph& graph) {
  if (order() == Order::shuffled) return shuffled_order(graph);
  DepthFirst walk(graph);
  walk.visit(graph.last);
  return walk.visited();
}

}  // namespace simulated_cuda
