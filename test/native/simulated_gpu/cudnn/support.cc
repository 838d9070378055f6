#include "support.h"

#include <cstdlib>
#include <fstream>

#include "engines.h"
#include "support_rules.h"

namespace simulated_cudnn {
namespace {

using Table = std::map<std::string, long>;   // key -> plans

Table read_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(CUDNN_STATUS_INTERNAL_ERROR, "cannot read the support table ", path);
  Table table;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.find(' ');
    table[line.substr(space + 1)] = std::atol(line.c_str());
  }
  return table;
}

}  // namespace

std::size_t supported_plans(const Graph& graph, int architecture) {
  refuse_known_forms(graph);
  const std::string key = eraserelu::graph_key(form_of(graph), architecture);
  const char* refused = std::getenv("SIM_CUDNN_REFUSE");
  if (refused != nullptr && key.find(refused) != std::string::npos) fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "refused on request: '", key, "'");
  const char* path = std::getenv("SIM_CUDNN_TABLE");
  if (path == nullptr) return offered_engines().size();
  static std::map<std::string, Table> tables;
  if (tables.count(path) == 0) tables[path] = read_table(path);
  const auto row = tables[path].find(key);
  if (row == tables[path].end())
    fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "the support table has no row for '", key, "': run npm run check:cudnn");
  if (row->second == 0) fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN, "cuDNN has no engine for '", key, "'");
  return static_cast<std::size_t>(row->second);
}

}  // namespace simulated_cudnn
