// conv2d, conv2dBwdData and conv2dBwdFilter with few channels a group.
#include <algorithm>
#include <string_view>

#include "onednn/grouped_convolution.h"
#include "onednn/kernels.h"
#include "onednn/own_convolution_kernels.h"

namespace eraserelu::cpu {

namespace {

constexpr const char* kName = "grouped";

/// 3x3 in groups that divide a vector, as many channels in as out, with stride 1 or 2 both ways.
bool applies(const OpDesc& desc, const TensorDesc& w, const GroupedShape& shape) {
  const Attributes& attributes = desc.attributes;
  const Shape one = {1, 1}, same = {shape.stride, shape.stride}, pad = attributes.integers("pad");
  return attributes.integer("groups") > 1 && w.dim(1) == 3 && w.dim(2) == 3 && attributes.integers("stride") == same && shape.stride <= 2 &&
         attributes.integers("dilation") == one && std::all_of(pad.begin(), pad.end(), [](std::int64_t each) { return each <= 2; }) &&
         shape.x.channels == shape.y.channels && shape.x.channels % best_loops().lanes == 0 && grouped_loops(shape.group);
}

/// With 16 channels a group, a vector of AVX-512, oneDNN's own are as fast where the stride is 1.
bool pays(const GroupedShape& shape) { return shape.group < 16 || shape.stride > 1; }

std::unique_ptr<Kernel> from_x_to_y(const OpDesc& desc, const Names& names) {
  const TensorDesc& w = desc.read("w");
  const Shape pad = desc.attributes.integers("pad");
  const bool backward = names.backward();
  const GroupedShape shape = {plane_of(desc.read(names.x)), plane_of(desc.write(names.y)),  w.dim(3), desc.attributes.integers("stride")[0],
                              backward ? 2 - pad[0] : pad[0], backward ? 2 - pad[2] : pad[2], backward};
  if (!applies(desc, w, shape) || !pays(shape)) return nullptr;
  return std::make_unique<OwnConvolution<GroupedConvolution>>(desc, names, GroupedConvolution(shape), kName);
}

std::unique_ptr<Kernel> filter_gradient(const OpDesc& desc) {
  const TensorDesc& dw = desc.write("dw");
  const Shape pad = desc.attributes.integers("pad");
  const GroupedShape shape = {plane_of(desc.read("x")), plane_of(desc.read("dy")), dw.dim(3), desc.attributes.integers("stride")[0],
                              pad[0], pad[2], false};
  if (!applies(desc, dw, shape) || !pays(shape)) return nullptr;
  return std::make_unique<OwnFilterGradient<GroupedFilterSums>>(desc, GroupedFilterSums(shape), kName);
}

}  // namespace

std::unique_ptr<Kernel> grouped_convolution(const OpDesc& desc) {
  const std::string_view name = desc.spec->name;
  if (name == "conv2d") return from_x_to_y(desc, kForward);
  if (name == "conv2dBwdData") return from_x_to_y(desc, kBackwardData);
  return name == "conv2dBwdFilter" ? filter_gradient(desc) : nullptr;
}

}  // namespace eraserelu::cpu
