// conv2d, conv2dBwdData and conv2dBwdFilter by Winograd's algorithm.
#include <algorithm>
#include <string_view>

#include "backend/kernel_base.h"
#include "base/activation.h"
#include "base/scratch_layout.h"
#include "onednn/kernels.h"
#include "onednn/parallel.h"
#include "onednn/winograd.h"
#include "onednn/winograd_filter_gradient.h"

namespace eraserelu::cpu {

namespace {

/// The names of an operation's operands in the words of a convolution from x to y.
struct Names {
  std::string_view x, bias, addend, y;
};

constexpr Names kForward = {"x", "bias", "residual", "y"};
constexpr Names kBackwardData = {"dy", "", "addend", "dx"};

Plane plane_of(const TensorDesc& tensor) { return {tensor.dim(1), tensor.dim(2), tensor.dim(3)}; }

WinogradShape shape_of(const OpDesc& desc, const Names& names) {
  const Shape pad = desc.attributes.integers("pad");
  const bool backward = names.bias.empty();
  return {plane_of(desc.read(names.x)), plane_of(desc.write(names.y)), backward ? 2 - pad[0] : pad[0], backward ? 2 - pad[2] : pad[2], backward};
}

std::string engine() { return std::string("winograd:") + best_loops().name; }

class WinogradConvolution final : public Kernel {
 public:
  WinogradConvolution(const OpDesc& desc, const Names& names, const WinogradShape& shape)
      : desc_(desc),
        names_(names),
        winograd_(shape),
        parameter_(desc.read("w").parameter),
        imageX_(desc.read(names.x).elements() / desc.read(names.x).dim(0)),
        imageY_(desc.write(names.y).elements() / desc.write(names.y).dim(0)) {
    if (!names.bias.empty()) operands_.relu = activation_named(desc.attributes.text("activation")) == Activation::relu;
    ScratchLayout scratch;
    scratch.add(winograd_.scratch_bytes());
    filterAt_ = scratch.add(parameter_ ? 0 : winograd_.filter_bytes());
    requirements_.scratchpad = scratch.bytes();
    requirements_.packed = parameter_ ? winograd_.filter_bytes() : 0;
    requirements_.engine = engine();
  }

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    const Operands given(desc_, bindings);
    winograd_.bind(given.scratchpad());
    w_ = given.read("w");
    filter_ = static_cast<float*>(parameter_ ? bindings.packed : given.scratchpad() + filterAt_);
    operands_.x = given.read(names_.x);
    operands_.filter = filter_;
    operands_.bias = names_.bias.empty() ? nullptr : given.read(names_.bias);
    operands_.addend = given.read(names_.addend);
    operands_.y = given.write(names_.y);
  }

  void pack() override {
    if (parameter_) winograd_.transform_filter(w_, filter_);
  }

  void launch(std::int64_t first, std::int64_t count) override {
    if (first == 0 && !parameter_) winograd_.transform_filter(w_, filter_);
    Winograd::Operands operands = operands_;
    operands.x += first * imageX_;
    operands.y += first * imageY_;
    if (operands.addend) operands.addend += first * imageY_;
    winograd_.run(operands, count);
  }

 private:
  const OpDesc desc_;
  const Names names_;
  Winograd winograd_;
  const bool parameter_;   // then its transform is kept, else it is made at the first launch
  const std::int64_t imageX_, imageY_;
  std::size_t filterAt_ = 0;
  Requirements requirements_;
  const float* w_ = nullptr;
  float* filter_ = nullptr;
  Winograd::Operands operands_ = {};
};

class WinogradGradientOfFilter final : public Kernel {
 public:
  WinogradGradientOfFilter(const OpDesc& desc, const WinogradShape& shape) : desc_(desc), sums_(shape) {}

  Requirements requirements() const override {
    Requirements needs;
    needs.scratchpad = sums_.scratch_bytes();
    needs.engine = engine();
    return needs;
  }

  void bind(const Bindings& bindings) override {
    const Operands given(desc_, bindings);
    sums_.bind(given.scratchpad());
    x_ = given.read("x");
    dy_ = given.read("dy");
    dw_ = given.write("dw");
  }

  void launch(std::int64_t first, std::int64_t count) override {
    sums_.add(x_, dy_, first, count);
    if (first + count == desc_.read("x").dim(0)) sums_.write(dw_);
  }

 private:
  const OpDesc desc_;
  WinogradFilterSums sums_;
  const float* x_ = nullptr;
  const float* dy_ = nullptr;
  float* dw_ = nullptr;
};

/// 3x3 with stride 1.
bool applies(const OpDesc& desc, const TensorDesc& w, const WinogradShape& shape) {
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

/// Whether Winograd's algorithm is the faster one; `transfers`: how often a number of the transformed filter goes to or from memory.
bool pays(const WinogradShape& shape, std::int64_t images, double transfers) {
  const auto channels = static_cast<double>(shape.x.channels), filters = static_cast<double>(shape.y.lanes());
  const auto pixels = static_cast<double>(images * shape.y.height * shape.y.width);
  const auto tiles = static_cast<double>(images * Tiles(shape.y).per_image());
  const double direct = 9 * pixels * channels * filters;
  const double products = kPositions * channels * filters * (tiles * kProduct + transfers * kMemory);
  const auto transformed = static_cast<double>(shape.x.lanes() + shape.y.lanes());
  return products + tiles * transformed / 2 * kTransform < direct;
}

std::unique_ptr<Kernel> from_x_to_y(const OpDesc& desc, const Names& names) {
  const TensorDesc& w = desc.read("w");
  const WinogradShape shape = shape_of(desc, names);
  // A filter that is no parameter is transformed for every batch: read, written, and read again.
  if (!applies(desc, w, shape) || !pays(shape, desc.read(names.x).dim(0), w.parameter ? 1 : 3)) return nullptr;
  return std::make_unique<WinogradConvolution>(desc, names, shape);
}

std::unique_ptr<Kernel> filter_gradient(const OpDesc& desc) {
  const TensorDesc &x = desc.read("x"), &dy = desc.read("dy");
  const Shape pad = desc.attributes.integers("pad");
  const WinogradShape shape = {plane_of(x), plane_of(dy), pad[0], pad[2], false};
  // Each thread's sums are written, and read to be added up.
  if (!applies(desc, desc.write("dw"), shape) || !pays(shape, x.dim(0), 2 * worker_threads())) return nullptr;
  if (kPositions * shape.x.channels * shape.y.channels > kMostSums) return nullptr;
  return std::make_unique<WinogradGradientOfFilter>(desc, shape);
}

}  // namespace

std::unique_ptr<Kernel> winograd(const OpDesc& desc) {
  const std::string_view name = desc.spec->name;
  if (name == "conv2d") return from_x_to_y(desc, kForward);
  if (name == "conv2dBwdData") return from_x_to_y(desc, kBackwardData);
  return name == "conv2dBwdFilter" ? filter_gradient(desc) : nullptr;
}

}  // namespace eraserelu::cpu
