// The name of a cuDNN graph in the support table: the chain of operations with what cuDNN's support depends on, and none of the
// sizes it does not. Whoever asks the real library and whoever looks the answer up describe the graph as a GraphForm and get the
// same key.
//
//   sm90 conv_fprop[f3 s1](0:bf16 c8,1:bf16 c8)->2:f32 virtual c8; add(2,3:bf16 channel c8)->4:bf16 c8
#pragma once

#include <cfloat>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace eraserelu {

struct FormTensor {
  std::string type;   // "f32", "bf16", "f16", "i8", "i32", "boolean"
  std::vector<std::int64_t> dims;   // N, C, spatial… (filters: K, C/groups, R, S)
  std::vector<std::int64_t> strides;   // in elements, in the same order
  bool isVirtual = false;
  bool byValue = false;
};

/// One operation; operands are positions in GraphForm::tensors. An absent operand is left out.
struct FormOp {
  std::string name;   // "conv_fprop", "add", "relu_fwd", "batch_norm_training", …
  std::string attributes;   // from convolution_attributes, relu_attributes; may be empty
  std::vector<int> reads;
  std::vector<int> writes;
};

/// A graph with its operations in an order in which they can run.
struct GraphForm {
  std::vector<FormTensor> tensors;
  std::vector<FormOp> ops;
};

/// The largest of 8, 4, 2 and 1 that divides a number of channels: cuDNN's engines load that many at once.
inline int channel_alignment(std::int64_t channels) {
  return channels % 8 == 0 ? 8 : channels % 4 == 0 ? 4 : channels % 2 == 0 ? 2 : 1;
}

struct FormConvolution {
  std::vector<std::int64_t> pre, post, stride, dilation;
  std::vector<std::int64_t> filter;   // K, C/groups, R, S
  std::int64_t groups = 1;
};

/// "f3 s1": the larger filter side and stride; dilation, unequal paddings and groups are named only where they are there.
inline std::string convolution_attributes(const FormConvolution& c) {
  const auto largest = [](const std::vector<std::int64_t>& values, std::size_t first) {
    std::int64_t result = values[first];
    for (std::size_t i = first; i < values.size(); ++i) result = values[i] > result ? values[i] : result;
    return result;
  };
  std::string text = "f" + std::to_string(largest(c.filter, 2)) + " s" + std::to_string(largest(c.stride, 0));
  if (largest(c.dilation, 0) > 1) text += " dilated";
  if (c.pre != c.post) text += " uneven";
  if (c.groups == 1) return text;
  return text + " grouped " + std::to_string(channel_alignment(c.filter[1])) + "->" +
         std::to_string(channel_alignment(c.filter[0] / c.groups));
}

/// What distinguishes a ReLU from max(x, 0); a lower clip at the most negative float makes it the identity.
inline std::string relu_attributes(double lower, double upper, double slope) {
  std::string text;
  if (lower <= -3e38) text += " lowest";
  else if (lower != 0) text += " lower";
  if (upper < FLT_MAX) text += " upper";
  if (slope != 0) text += " slope";
  return text.empty() ? text : text.substr(1);
}

/// The class of a shape: "scalar", "channel" (1, C, 1, …), or "" for anything else.
inline std::string shape_class(const std::vector<std::int64_t>& dims) {
  bool onlyChannels = true;
  for (std::size_t i = 0; i < dims.size(); ++i) onlyChannels = onlyChannels && (i == 1 || dims[i] == 1);
  if (!onlyChannels) return "";
  return dims.size() > 1 && dims[1] != 1 ? "channel" : "scalar";
}

/// "" for packed channels-last, "pitched" for channels-last pixels with a gap between them, "strided" for anything else.
inline std::string layout_class(const FormTensor& t) {
  if (t.dims.size() < 3 || !shape_class(t.dims).empty()) return "";
  if (t.strides[1] != 1 && t.dims[1] != 1) return "strided";
  const std::int64_t pitch = t.strides.back();
  std::int64_t expected = pitch;
  for (std::size_t i = t.dims.size(); i-- > 2; expected *= t.dims[i])
    if (t.dims[i] != 1 && t.strides[i] != expected) return "strided";
  return pitch == t.dims[1] ? "" : "pitched";
}

inline std::string graph_key(const GraphForm& form, int architecture) {
  std::map<int, int> numbers;   // in order of first use, so that the key does not depend on how tensors were listed
  const auto operand = [&](int index) {
    const auto [entry, isNew] = numbers.emplace(index, static_cast<int>(numbers.size()));
    std::string text = std::to_string(entry->second);
    if (!isNew) return text;
    const FormTensor& t = form.tensors[static_cast<std::size_t>(index)];
    text += ":" + t.type;
    const std::string shape = shape_class(t.dims), layout = layout_class(t);
    if (t.isVirtual) text += " virtual";
    if (t.byValue) text += " by_value";
    if (!shape.empty()) text += " " + shape;
    if (!layout.empty()) text += " " + layout;
    if (shape != "scalar" && t.dims.size() > 1) text += " c" + std::to_string(channel_alignment(t.dims[1]));
    return text;
  };
  const auto operands = [&](const std::vector<int>& indices) {
    std::string text;
    for (int index : indices) text += (text.empty() ? "" : ",") + operand(index);
    return text;
  };
  std::string key = "sm" + std::to_string(architecture);
  for (const FormOp& op : form.ops) {
    key += (&op == &form.ops.front() ? " " : "; ") + op.name;
    if (!op.attributes.empty()) key += "[" + op.attributes + "]";
    key += "(" + operands(op.reads) + ")";
    key += "->" + operands(op.writes);
  }
  return key;
}

}  // namespace eraserelu
