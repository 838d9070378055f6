#include "check/forms.h"

namespace frontend {
namespace {

constexpr std::int64_t images = 32;

struct ConvolutionShape {
  std::int64_t channels, filters, side, filter, stride, groups;
  Dims x() const { return {images, channels, side, side}; }
  Dims w() const { return {filters, channels / groups, filter, filter}; }
  Dims y() const { return {images, filters, (side - 1) / stride + 1, (side - 1) / stride + 1}; }
  Window window() const { return {{filter / 2, filter / 2}, {filter / 2, filter / 2}, {stride, stride}, {1, 1}, {}}; }
  std::string text() const {
    std::string result;
    for (const std::int64_t value : {channels, filters, side, filter, stride, groups})
      result += (result.empty() ? "" : "x") + std::to_string(value);
    return result;
  }
};

/// channels, filters, side, filter, stride, groups: those of the networks, and the alignments between them.
const ConvolutionShape shapes[] = {
    // Images, and first layers that were given channels of zeros.
    {3, 64, 224, 7, 2, 1}, {8, 64, 224, 7, 2, 1}, {3, 64, 224, 3, 1, 1}, {3, 16, 32, 3, 1, 1}, {1, 16, 28, 3, 1, 1},
    // ResNets and VGG: multiples of 8.
    {64, 64, 56, 3, 1, 1}, {16, 16, 32, 3, 1, 1}, {64, 128, 56, 3, 2, 1}, {64, 256, 56, 1, 1, 1}, {256, 512, 56, 1, 2, 1},
    // Dense networks: channels that grow by any number.
    {36, 48, 28, 3, 1, 1}, {28, 12, 32, 3, 1, 1}, {48, 12, 32, 3, 1, 1}, {36, 48, 32, 1, 1, 1}, {150, 48, 8, 1, 1, 1},
    {300, 150, 16, 1, 1, 1}, {120, 60, 16, 1, 1, 1},
    // Classifiers.
    {64, 10, 1, 1, 1, 1}, {64, 7, 1, 1, 1, 1}, {132, 10, 1, 1, 1, 1}, {342, 10, 1, 1, 1, 1},
    // The small networks of test/golden/families.ts, where they differ.
    {4, 4, 32, 1, 1, 1}, {3, 4, 32, 3, 1, 1}, {4, 4, 32, 3, 1, 1}, {6, 6, 32, 3, 1, 1}, {4, 6, 32, 3, 1, 1}, {6, 6, 32, 3, 2, 1},
    {4, 6, 32, 3, 2, 1}, {4, 4, 32, 3, 1, 2}, {8, 8, 32, 3, 2, 2},
    // Groups.
    {256, 256, 56, 3, 1, 32}, {256, 256, 56, 3, 2, 32}, {128, 128, 56, 3, 1, 32}, {128, 128, 56, 3, 2, 32}, {64, 64, 32, 3, 1, 64},
};

void fill_forward(Graph& graph, Type io, const ConvolutionShape& s, bool bias, bool residual, bool relu) {
  Id y = graph.convolution(graph.tensor(s.x(), io), graph.tensor(s.w(), io), s.window());
  if (bias) y = graph.pointwise("add", {y, graph.tensor({1, s.filters, 1, 1}, Type::f32)});
  if (residual) y = graph.pointwise("add", {y, graph.tensor(s.y(), io)});
  graph.output(relu ? graph.relu(y) : y, io);
}

void add_convolutions(std::vector<Form>& forms, Type io) {
  for (const ConvolutionShape& s : shapes) {
    const auto add = [&](const std::string& name, const std::function<void(Graph&)>& fill) {
      forms.push_back({name + " " + s.text(), io, fill});
    };
    add("conv", [=](Graph& g) { fill_forward(g, io, s, false, false, false); });
    add("conv of pitched x",
        [=](Graph& g) { g.output(g.convolution(g.tensor(s.x(), io, 2 * s.channels), g.tensor(s.w(), io), s.window()), io); });
    add("conv+relu", [=](Graph& g) { fill_forward(g, io, s, false, false, true); });
    add("conv+add", [=](Graph& g) { fill_forward(g, io, s, false, true, false); });
    add("conv+add+relu", [=](Graph& g) { fill_forward(g, io, s, false, true, true); });
    add("conv+bias", [=](Graph& g) { fill_forward(g, io, s, true, false, false); });
    add("conv+bias+relu", [=](Graph& g) { fill_forward(g, io, s, true, false, true); });
    add("conv+bias+add", [=](Graph& g) { fill_forward(g, io, s, true, true, false); });
    add("conv+bias+add+relu", [=](Graph& g) { fill_forward(g, io, s, true, true, true); });
    add("dgrad",
        [=](Graph& g) { g.output(g.convolution_data(g.tensor(s.y(), io), g.tensor(s.w(), io), s.x(), s.window()), io); });
    add("dgrad+add", [=](Graph& g) {
      g.output(g.pointwise(
                   "add", {g.convolution_data(g.tensor(s.y(), io), g.tensor(s.w(), io), s.x(), s.window()), g.tensor(s.x(), io)}),
               io);
    });
    add("wgrad",
        [=](Graph& g) { g.output(g.convolution_filter(g.tensor(s.y(), io), g.tensor(s.x(), io), s.w(), s.window()), io); });
    if (io != Type::f32)
      add("wgrad f32", [=](Graph& g) {
        g.output(g.convolution_filter(g.tensor(s.y(), io), g.tensor(s.x(), io), s.w(), s.window()), Type::f32);
      });
  }
}

enum class End { none, relu, addRelu, addReluMask, addReluMaskOfY, addLowest, add };

void fill_norm(Graph& graph, Type io, std::int64_t channels, End end) {
  const Dims dims{images, channels, 28, 28}, vector{1, channels, 1, 1};
  const Norm norm =
      graph.batch_norm(graph.tensor(dims, io), graph.tensor(vector, Type::f32), graph.tensor(vector, Type::f32), 1e-5f);
  graph.output(norm.mean, Type::f32);
  graph.output(norm.inverse, Type::f32);
  Id y = norm.y;
  if (end != End::none && end != End::relu) y = graph.pointwise("add", {y, graph.tensor(dims, io)});
  const Id sum = y;
  if (end != End::none && end != End::add && end != End::addLowest) y = graph.relu(y);
  if (end == End::addReluMask || end == End::addReluMaskOfY)
    graph.output(graph.pointwise("cmp_gt", {end == End::addReluMask ? sum : y, graph.scalar(0)}), Type::boolean);
  if (end == End::addLowest) y = graph.relu(y, {-FLT_MAX, FLT_MAX, 0});
  graph.output(y, io);
}

enum class Mask { none, recomputed, recomputedInF32, recomputedAndWritten, inMemory, bits, bitsAndWritten };

void fill_norm_gradient(Graph& graph, Type io, std::int64_t channels, Mask mask) {
  const Dims dims{images, channels, 28, 28}, vector{1, channels, 1, 1};
  if (mask == Mask::recomputed || mask == Mask::recomputedAndWritten) graph.set_intermediate(io);
  Id dy = graph.tensor(dims, io);
  const Id x = graph.tensor(dims, io), scale = graph.tensor(vector, Type::f32), mean = graph.tensor(vector, Type::f32),
           inverse = graph.tensor(vector, Type::f32);
  if (mask == Mask::inMemory) dy = graph.relu_backward(dy, graph.tensor(dims, io));
  else if (mask == Mask::bits || mask == Mask::bitsAndWritten)
    dy = graph.pointwise("mul", {dy, graph.tensor(dims, Type::boolean)});
  else if (mask != Mask::none)
    dy = graph.relu_backward(dy, graph.batch_norm_inference(x, mean, inverse, scale, graph.tensor(vector, Type::f32)));
  if (mask == Mask::recomputedAndWritten || mask == Mask::bitsAndWritten) graph.output(dy, io);
  const NormGradients out = graph.batch_norm_backward(dy, x, scale, mean, inverse);
  graph.output(out.dx, io);
  graph.output(out.dscale, Type::f32);
  graph.output(out.dbias, Type::f32);
}

void add_norms(std::vector<Form>& forms, Type io) {
  for (const std::int64_t channels : {64, 36, 10}) {
    const auto add = [&](const std::string& name, const std::function<void(Graph&)>& fill) {
      forms.push_back({name + " " + std::to_string(channels), io, fill});
    };
    add("bn", [=](Graph& g) { fill_norm(g, io, channels, End::none); });
    add("bn+relu", [=](Graph& g) { fill_norm(g, io, channels, End::relu); });
    add("bn+add+relu", [=](Graph& g) { fill_norm(g, io, channels, End::addRelu); });
    add("bn+add+relu, mask", [=](Graph& g) { fill_norm(g, io, channels, End::addReluMask); });
    add("bn+add+relu, mask of y", [=](Graph& g) { fill_norm(g, io, channels, End::addReluMaskOfY); });
    add("bn+add+lowest", [=](Graph& g) { fill_norm(g, io, channels, End::addLowest); });
    add("bn+add", [=](Graph& g) { fill_norm(g, io, channels, End::add); });
    add("bn_bwd", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::none); });
    add("relu_bwd+bn_bwd recomputed", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::recomputed); });
    add("relu_bwd+bn_bwd recomputed f32", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::recomputedInF32); });
    add("relu_bwd+bn_bwd recomputed, written",
        [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::recomputedAndWritten); });
    add("mask+bn_bwd", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::bits); });
    add("mask+bn_bwd, written", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::bitsAndWritten); });
    add("relu_bwd+bn_bwd y", [=](Graph& g) { fill_norm_gradient(g, io, channels, Mask::inMemory); });
    add("bn_inference", [=](Graph& g) {
      std::vector<Id> vectors;
      for (int i = 0; i < 4; ++i) vectors.push_back(g.tensor({1, channels, 1, 1}, Type::f32));
      g.output(g.batch_norm_inference(g.tensor({images, channels, 28, 28}, io), vectors[0], vectors[1], vectors[2], vectors[3]),
               io);
    });
  }
}

void add_others(std::vector<Form>& forms, Type io) {
  const Dims dims{images, 64, 28, 28};
  const auto add = [&](const std::string& name, const std::function<void(Graph&)>& fill) { forms.push_back({name, io, fill}); };
  add("add", [=](Graph& g) { g.output(g.pointwise("add", {g.tensor(dims, io), g.tensor(dims, io)}), io); });
  const Dims vector{1, 64, 1, 1};
  add("add vector", [=](Graph& g) { g.output(g.pointwise("add", {g.tensor(dims, io), g.tensor(vector, io)}), io); });
  add("add to vector", [=](Graph& g) { g.output(g.pointwise("add", {g.tensor(vector, io), g.tensor(dims, io)}), io); });
  add("add pitched", [=](Graph& g) { g.output(g.pointwise("add", {g.tensor(dims, io, 128), g.tensor(dims, io)}), io); });
  add("relu", [=](Graph& g) { g.output(g.relu(g.tensor(dims, io)), io); });
  add("add+relu", [=](Graph& g) { g.output(g.relu(g.pointwise("add", {g.tensor(dims, io), g.tensor(dims, io)})), io); });
  add("relu_bwd", [=](Graph& g) { g.output(g.relu_backward(g.tensor(dims, io), g.tensor(dims, io)), io); });
  add("bn as pointwise", [=](Graph& g) {
    const Id y = g.pointwise("mul", {g.tensor(dims, io), g.tensor(vector, Type::f32)});
    g.output(g.pointwise("add", {y, g.tensor(vector, Type::f32)}), io);
  });
  add("reduce to channels", [=](Graph& g) { g.output(g.reduce("add", g.tensor(dims, io), {1, 64, 1, 1}), Type::f32); });
  const Window window{{1, 1}, {1, 1}, {2, 2}, {1, 1}, {3, 3}};
  add("max pool", [=](Graph& g) { g.output(g.pool("max", g.tensor(dims, io), window).y, io); });
  add("max pool with index", [=](Graph& g) {
    const Pooled out = g.pool("max", g.tensor(dims, io), window, true);
    g.output(out.y, io);
    g.output(out.index, Type::i8);
  });
  add("avg pool", [=](Graph& g) { g.output(g.pool("avg_include", g.tensor(dims, io), window).y, io); });
  add("avg pool inside", [=](Graph& g) { g.output(g.pool("avg_exclude", g.tensor(dims, io), window).y, io); });
  add("global avg pool",
      [=](Graph& g) { g.output(g.pool("avg_include", g.tensor(dims, io), {{0, 0}, {0, 0}, {1, 1}, {1, 1}, {28, 28}}).y, io); });
}

}  // namespace

std::vector<Form> forms() {
  std::vector<Form> all;
  for (const Type io : {Type::f32, Type::bf16, Type::f16}) {
    add_convolutions(all, io);
    add_norms(all, io);
    add_others(all, io);
  }
  return all;
}

}  // namespace frontend
