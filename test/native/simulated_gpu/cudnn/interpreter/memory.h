// The tensors of one execution. Operations see values as doubles in channels-last order, whatever the layout in memory.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "graph.h"

namespace simulated_cudnn {

/// Values in the order N, spatial…, C; dims stay N, C, spatial….
struct Values {
  std::vector<std::int64_t> dims;
  std::vector<double> data;
};

/// Alters what is written to an output: (its value, its position in channels-last order, its type) -> what is stored.
using Distortion = std::function<double(double, std::int64_t, cudnnDataType_t)>;

/// What an engine does wrong.
struct EngineFaults {
  // In the statistics of a batch norm in training:
  bool noEpsilon = false;
  bool onePass = false;   // the variance as the mean of the squares less the square of the mean, both in f32
  // Of the results, counted from 1 as they are written; 0: of none.
  int lies = 0;     // the only one that is distorted
  int leaves = 0;   // the one that is not written
};

class Memory {
 public:
  /// Addresses of the tensors that are not virtual, by unique id.
  Memory(const Graph& graph, std::map<std::int64_t, void*> addresses, Distortion distortion, EngineFaults faults = {})
      : faults(faults), graph_(graph), addresses_(std::move(addresses)), distortion_(std::move(distortion)) {}

  const EngineFaults faults;

  Values load(std::int64_t uid) const;
  double scalar(std::int64_t uid) const { return load(uid).data.front(); }

  /// Rounds to the tensor's type. A virtual tensor is kept in f32, the compute type of every graph that is accepted here: a fused
  /// kernel holds it in registers, and no document promises that it is rounded to the type that it declares.
  void store(std::int64_t uid, const std::vector<double>& data);

 private:
  const Graph& graph_;
  std::map<std::int64_t, void*> addresses_;
  std::map<std::int64_t, std::vector<float>> virtuals_;
  Distortion distortion_;
  int results_ = 0;   // written
};

/// Calls visit(offset in elements, position) for every element of a tensor in channels-last order.
template <typename Visit>
void for_each_element(const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& strides, Visit visit) {
  std::vector<std::size_t> axes{0};   // N, spatial…, C
  for (std::size_t axis = 2; axis < dims.size(); ++axis) axes.push_back(axis);
  if (dims.size() > 1) axes.push_back(1);
  std::vector<std::int64_t> index(axes.size(), 0);
  std::int64_t total = 1, offset = 0;
  for (std::int64_t dim : dims) total *= dim;
  for (std::int64_t position = 0; position < total; ++position) {
    visit(offset, position);
    for (std::size_t i = axes.size(); i-- > 0;) {
      offset += strides[axes[i]];
      if (++index[i] < dims[axes[i]]) break;
      offset -= index[i] * strides[axes[i]];
      index[i] = 0;
    }
  }
}

}  // namespace simulated_cudnn
