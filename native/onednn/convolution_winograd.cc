// conv2d, conv2dBwdData and conv2dBwdFilter by Winograd's algorithm.
#include <algorithm>
#include <string_view>

#include "onednn/kernels.h"
#include "onednn/own_convolution_kernels.h"
#include "onednn/parallel.h"
#include "onednn/winograd.h"
#include "onednn/winograd_filter_gradient.h"

namespace eraserelu::cpu {

namespace {

constexpr const char* kName = "winograd";

WinogradShape shape_of(const OpDesc& desc, const Names& names) {
  const Shape pad = desc.attributes.integers("pad");
  const bool backward = names.backward();
  return {plane_of(desc.read(names.x)), plane_of(desc.write(names.y)), backward ? 2 - pad[0] : pad[0], backward ? 2 - pad[2] : pad[2], backward};
}

/// 3x3 with stride 1.
bool applies(const OpDesc& desc, const TensorDesc& w) {
  const Attributes& attributes = desc.attributes;
  const Shape one = {1, 1}, pad = attributes.integers("pad");
  return w.dim(1) == 3 && w.dim(2) == 3 && attributes.integers("stride") == one && attributes.integers("dilation") == one &&
         attributes.integer("groups") == 1 && std::all_of(pad.begin(), pad.end(), [](std::int64_t each) { return each <= 2; });
}

// What things cost beside a multiplication of the direct convolution, about: estimates, which docs/performance.md holds against ResNet-50.
constexpr double kProduct = 1.25;      // a multiplication of the products: their matrices are small
constexpr double kTransform = 800;     // a tile on its way in and out, a channel: 36 numbers each
constexpr double kMemory = 20;         // a number to or from memory
constexpr std::int64_t kMostSums = 1 << 22;   // floats of a thread's sums over the tiles: 16 MB, else they cost more than they save

/// Whether Winograd's algorithm is the faster one. pairs: of a channel and a filter, with those that fill up vectors; transfers: how often a
/// number of the transformed filter goes to or from memory.
bool pays(const WinogradShape& shape, std::int64_t images, std::int64_t pairs, double transfers) {
  const auto pixels = static_cast<double>(images * shape.y.height * shape.y.width);
  const auto tiles = static_cast<double>(images * Tiles(shape.y).per_image());
  const double direct = 9 * pixels * static_cast<double>(shape.x.channels * shape.y.lanes());
  const double products = kPositions * static_cast<double>(pairs) * (tiles * kProduct + transfers * kMemory);
  const auto transformed = static_cast<double>(shape.x.lanes() + shape.y.lanes());
  return products + tiles * transformed / 2 * kTransform < direct;
}

std::unique_ptr<Kernel> from_x_to_y(const OpDesc& desc, const Names& names) {
  const TensorDesc& w = desc.read("w");
  const WinogradShape shape = shape_of(desc, names);
  // A filter that is no parameter is transformed for every batch: read, written, and read again.
  const std::int64_t pairs = shape.x.channels * shape.y.lanes();
  if (!applies(desc, w) || !pays(shape, desc.read(names.x).dim(0), pairs, w.parameter ? 1 : 3)) return nullptr;
  return std::make_unique<OwnConvolution<Winograd>>(desc, names, Winograd(shape), kName);
}

std::unique_ptr<Kernel> filter_gradient(const OpDesc& desc) {
  const TensorDesc &x = desc.read("x"), &dy = desc.read("dy");
  const Shape pad = desc.attributes.integers("pad");
  const WinogradShape shape = {plane_of(x), plane_of(dy), pad[0], pad[2], false};
  // Each thread's sums are written, and read to be added up.
  const std::int64_t pairs = shape.x.lanes() * shape.y.channels;
  if (!applies(desc, desc.write("dw")) || !pays(shape, x.dim(0), pairs, 2 * worker_threads())) return nullptr;
  if (kPositions * pairs > kMostSums) return nullptr;
  return std::make_unique<OwnFilterGradient<WinogradFilterSums>>(desc, WinogradFilterSums(shape), kName);
}

}  // namespace

std::unique_ptr<Kernel> winograd(const OpDesc& desc) {
  const std::string_view name = desc.spec->name;
  if (name == "conv2d") return from_x_to_y(desc, kForward);
  if (name == "conv2dBwdData") return from_x_to_y(desc, kBackwardData);
  return name == "conv2dBwdFilter" ? filter_gradient(desc) : nullptr;
}

}  // namespace eraserelu::cpu
