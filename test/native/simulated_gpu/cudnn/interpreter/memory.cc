#include "interpreter/memory.h"

#include "interpreter/element.h"

namespace simulated_cudnn {

Values Memory::load(std::int64_t uid) const {
  const Tensor& tensor = graph_.tensors.at(uid);
  if (tensor.isVirtual) {
    const std::vector<float>& kept = virtuals_.at(uid);
    return {tensor.dims, std::vector<double>(kept.begin(), kept.end())};
  }
  Values values{tensor.dims, std::vector<double>(static_cast<std::size_t>(tensor.elements()))};
  const void* address = addresses_.at(uid);
  for_each_element(tensor.dims, tensor.strides, [&](std::int64_t offset, std::int64_t position) {
    values.data[static_cast<std::size_t>(position)] = load_element(tensor.type, address, offset);
  });
  return values;
}

void Memory::store(std::int64_t uid, const std::vector<double>& data) {
  const Tensor& tensor = graph_.tensors.at(uid);
  if (tensor.isVirtual) {
    virtuals_[uid].assign(data.begin(), data.end());
    return;
  }
  if (++results_ == faults.leaves) return;
  const bool distorts = distortion_ && (faults.lies == 0 || faults.lies == results_);
  void* address = addresses_.at(uid);
  for_each_element(tensor.dims, tensor.strides, [&](std::int64_t offset, std::int64_t position) {
    const double value = data[static_cast<std::size_t>(position)];
    store_element(tensor.type, address, offset, distorts ? distortion_(value, position, tensor.type) : value);
  });
}

}  // namespace simulated_cudnn
