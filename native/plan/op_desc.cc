#include "plan/op_desc.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace eraserelu {

const std::vector<OpSpec>& vocabulary() {
  static const std::vector<OpSpec> table = {
      // convolution
      {"conv2d", "x w bias? residual?", "y", "stride pad dilation groups activation", Batch::map},
      {"conv2dBwdData", "dy w addend?", "dx", "stride pad dilation groups", Batch::map},
      {"conv2dBwdFilter", "dy x", "dw", "stride pad dilation groups", Batch::reduce},
      {"biasBwd", "dy", "db", "", Batch::reduce},
      // batch norm
      {"bnStats", "x", "mean invstd variance", "epsilon", Batch::reduce},
      {"bnApply", "x mean invstd gamma beta residual?", "y mask?", "activation", Batch::map},
      {"bnBwdReduce", "dy x mean invstd gamma beta mask?", "dgamma dbeta", "activation", Batch::reduce},
      {"bnBwdApply", "dy x mean invstd gamma beta dgamma dbeta mask?", "dx dresidual?", "activation", Batch::map},
      {"bnRunningUpdate", "statistics state running", "running", "ranges momentum count", Batch::whole},
      {"batchNormInfer", "x mean variance gamma beta residual?", "y mask?", "epsilon activation", Batch::map},
      {"batchNormInferBwd", "dy x mean variance gamma beta mask?", "dx dgamma dbeta dresidual?", "epsilon activation",
       Batch::reduce},
      // pooling and shortcuts
      {"maxPool", "x", "y argmax?", "kernel stride pad", Batch::map},
      {"maxPoolBwd", "dy argmax", "dx", "kernel stride pad", Batch::map},
      {"avgPool", "x", "y", "kernel stride pad countIncludePad", Batch::map},
      {"avgPoolBwd", "dy", "dx", "kernel stride pad countIncludePad", Batch::map},
      {"globalAvgPool", "x", "y", "", Batch::map},
      {"globalAvgPoolBwd", "dy", "dx", "", Batch::map},
      {"shortcutA", "x", "y", "stride", Batch::map},
      {"shortcutABwd", "dy", "dx", "stride", Batch::map},
      // elementwise
      {"relu", "x", "y", "", Batch::map},
      {"reluBwd", "dy y", "dx", "", Batch::map},
      {"add", "a b", "y", "", Batch::map},
      {"concat", "x*", "y", "axis", Batch::whole},
      {"slice", "x", "y", "begin", Batch::whole},
      {"sliceBwd", "dy", "dx", "begin", Batch::whole},
      {"dropout", "x", "y", "p opId", Batch::map},
      {"dropoutBwd", "dy", "dx", "p opId", Batch::map},
      {"scaleSamples", "x scale", "y", "", Batch::map},
      {"pointwise", "a b?", "y", "fn alpha beta", Batch::whole},
      {"reduce", "x", "y", "fn axes", Batch::whole},
      {"cast", "x", "y", "", Batch::whole},
      {"fill", "", "y", "value", Batch::whole},
      {"sum", "x total", "total", "", Batch::whole},
      // loss
      {"softmaxCrossEntropy", "logits labels labels2? lambda?", "loss dlogits? correct1 correct5 count", "labelSmoothing",
       Batch::whole},
      // images
      {"imageInput", "images offsets flips cutouts?", "x", "mean std pad padMode cutout", Batch::map},
      {"gatherImages", "dataset indices offsets flips cutouts?", "x", "mean std pad padMode cutout", Batch::map},
      // update
      {"gradNorm", "loss? state gradient*", "state", "maxNorm", Batch::whole},
      {"sgdUpdate", "gradient state weights velocity?", "weights velocity?", "momentum dampening nesterov ranges weightDecay",
       Batch::whole},
      {"adamwUpdate", "gradient state weights m v", "weights m v", "beta1 beta2 epsilon ranges weightDecay", Batch::whole},
      {"emaUpdate", "weights state ema", "ema", "decay", Batch::whole},
  };
  return table;
}

const OpSpec& op_spec(std::string_view name) {
  for (const OpSpec& spec : vocabulary())
    if (name == spec.name) return spec;
  fail(ErrorCode::InvalidArgument, "unknown operation '", name, "'");
}

const char* name_of(Batch batch) {
  switch (batch) {
    case Batch::map: return "map";
    case Batch::reduce: return "reduce";
    case Batch::whole: return "whole";
  }
  return "";
}

const Attributes::Value& Attributes::at(const std::string& name) const {
  auto found = values_.find(name);
  if (found == values_.end()) fail(ErrorCode::InvalidArgument, "attribute '", name, "' is missing");
  return found->second;
}

double Attributes::number(const std::string& name) const {
  const double* value = std::get_if<double>(&at(name));
  if (!value) fail(ErrorCode::InvalidArgument, "attribute '", name, "' must be a number");
  return *value;
}

std::int64_t Attributes::integer(const std::string& name) const {
  double value = number(name);
  if (value != std::floor(value)) fail(ErrorCode::InvalidArgument, "attribute '", name, "' must be an integer, got ", value);
  return static_cast<std::int64_t>(value);
}

const std::string& Attributes::text(const std::string& name) const {
  const std::string* value = std::get_if<std::string>(&at(name));
  if (!value) fail(ErrorCode::InvalidArgument, "attribute '", name, "' must be a string");
  return *value;
}

const std::vector<double>& Attributes::numbers(const std::string& name) const {
  const auto* value = std::get_if<std::vector<double>>(&at(name));
  if (!value) fail(ErrorCode::InvalidArgument, "attribute '", name, "' must be a list of numbers");
  return *value;
}

std::vector<std::int64_t> Attributes::integers(const std::string& name) const {
  std::vector<std::int64_t> result;
  for (double value : numbers(name)) {
    if (value != std::floor(value)) fail(ErrorCode::InvalidArgument, "attribute '", name, "' must hold integers, got ", value);
    result.push_back(static_cast<std::int64_t>(value));
  }
  return result;
}

std::vector<OperandName> operand_names(std::string_view list) {
  std::vector<OperandName> names;
  for (std::size_t end = 0; !list.empty(); list.remove_prefix(std::min(list.size(), end + 1))) {
    end = std::min(list.find(' '), list.size());
    const bool optional = list[end - 1] == '?', many = list[end - 1] == '*';
    names.push_back({std::string(list.substr(0, optional || many ? end - 1 : end)), optional, many});
  }
  return names;
}

namespace {

/// npos when it is not there.
std::size_t position_of(std::string_view list, std::string_view wanted) {
  const std::vector<OperandName> names = operand_names(list);
  const auto found = std::find_if(names.begin(), names.end(), [&](const OperandName& each) { return each.name == wanted; });
  return found == names.end() ? std::string_view::npos : static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::size_t OpDesc::read_index(std::string_view operand) const {
  std::size_t index = position_of(spec->reads, operand);
  check(index < reads.size(), spec->name, " reads no '", operand, "'");
  return index;
}

std::size_t OpDesc::write_index(std::string_view operand) const {
  std::size_t index = position_of(spec->writes, operand);
  check(index < writes.size(), spec->name, " writes no '", operand, "'");
  return index;
}

const TensorDesc& OpDesc::read(std::string_view operand) const { return reads[read_index(operand)]; }
const TensorDesc& OpDesc::write(std::string_view operand) const { return writes[write_index(operand)]; }

std::string OpDesc::to_string() const {
  std::string text = std::string(spec->name) + " " + node + ":";
  auto list = [&text](const std::vector<TensorDesc>& tensors) {
    for (const TensorDesc& tensor : tensors)
      text += tensor.present ? " " + eraserelu::to_string(tensor) : std::string(" -");
  };
  list(reads);
  text += " ->";
  list(writes);
  return text;
}

}  // namespace eraserelu
