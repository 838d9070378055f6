// The kernels of conv2d, conv2dBwdData and conv2dBwdFilter around an algorithm of our own.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "backend/kernel_base.h"
#include "base/activation.h"
#include "base/scratch_layout.h"
#include "onednn/own_convolution.h"
#include "onednn/simd/loops.h"

namespace eraserelu::cpu {

/// The names of an operation's operands in the words of a convolution from x to y.
struct Names {
  std::string_view x, bias, addend, y;

  bool backward() const { return bias.empty(); }
};

constexpr Names kForward = {"x", "bias", "residual", "y"};
constexpr Names kBackwardData = {"dy", "", "addend", "dx"};

inline std::string engine_name(const char* algorithm) { return std::string(algorithm) + ":" + best_loops().name; }

/// Algorithm: has a transformed copy of the filter and computes all pixels of images.
template <typename Algorithm>
class OwnConvolution final : public Kernel {
 public:
  OwnConvolution(const OpDesc& desc, const Names& names, Algorithm algorithm, const char* name)
      : desc_(desc),
        names_(names),
        algorithm_(std::move(algorithm)),
        parameter_(desc.read("w").parameter),
        imageX_(plane_of(desc.read(names.x)).image()),
        imageY_(plane_of(desc.write(names.y)).image()) {
    if (!names.backward()) operands_.relu = activation_named(desc.attributes.text("activation")) == Activation::relu;
    ScratchLayout scratch;
    scratch.add(algorithm_.scratch_bytes());
    filterAt_ = scratch.add(parameter_ ? 0 : algorithm_.filter_bytes());
    requirements_.scratchpad = scratch.bytes();
    requirements_.packed = parameter_ ? algorithm_.filter_bytes() : 0;
    requirements_.chunkReads = {static_cast<int>(desc.read_index(names.x))};
    requirements_.engine = engine_name(name);
  }

  Requirements requirements() const override { return requirements_; }

  void bind(const Bindings& bindings) override {
    const Operands given(desc_, bindings);
    algorithm_.bind(given.scratchpad());
    w_ = given.read("w");
    filter_ = static_cast<float*>(parameter_ ? bindings.packed : given.scratchpad() + filterAt_);
    x_ = given.read_images(names_.x, imageX_);
    operands_.filter = filter_;
    operands_.bias = names_.backward() ? nullptr : given.read(names_.bias);
    operands_.addend = given.read(names_.addend);
    operands_.y = given.write(names_.y);
  }

  void pack() override {
    if (parameter_) algorithm_.transform_filter(w_, filter_);
  }

  void launch(std::int64_t first, std::int64_t count) override {
    if (first == 0 && !parameter_) algorithm_.transform_filter(w_, filter_);
    ConvolutionOperands operands = operands_;
    operands.x = x_.from(first);
    operands.y += first * imageY_;
    if (operands.addend) operands.addend += first * imageY_;
    algorithm_.run(operands, count);
  }

 private:
  const OpDesc desc_;
  const Names names_;
  Algorithm algorithm_;
  const bool parameter_;   // then its transform is kept, else it is made at the first launch
  const std::int64_t imageX_, imageY_;
  std::size_t filterAt_ = 0;
  Requirements requirements_;
  const float* w_ = nullptr;
  float* filter_ = nullptr;
  Images<const float> x_;
  ConvolutionOperands operands_ = {};   // without x
};

/// Sums: adds up images, and writes the gradient of the filter after the last one.
template <typename Sums>
class OwnFilterGradient final : public Kernel {
 public:
  OwnFilterGradient(const OpDesc& desc, Sums sums, const char* name) : desc_(desc), sums_(std::move(sums)), name_(name) {}

  Requirements requirements() const override {
    Requirements needs;
    needs.scratchpad = sums_.scratch_bytes();
    needs.engine = engine_name(name_);
    for (const char* operand : {"x", "dy"}) needs.chunkReads.push_back(static_cast<int>(desc_.read_index(operand)));
    return needs;
  }

  void bind(const Bindings& bindings) override {
    const Operands given(desc_, bindings);
    sums_.bind(given.scratchpad());
    x_ = given.read_images("x", plane_of(desc_.read("x")).image());
    dy_ = given.read_images("dy", plane_of(desc_.read("dy")).image());
    dw_ = given.write("dw");
  }

  void launch(std::int64_t first, std::int64_t count) override {
    sums_.add(x_.from(first), dy_.from(first), count, first == 0);
    if (first + count == desc_.read("x").dim(0)) sums_.write(dw_);
  }

 private:
  const OpDesc desc_;
  Sums sums_;
  const char* name_;
  Images<const float> x_, dy_;
  float* dw_ = nullptr;
};

}  // namespace eraserelu::cpu
