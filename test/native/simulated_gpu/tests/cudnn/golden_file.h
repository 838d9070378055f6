// The golden file test/golden/layers.safetensors: PyTorch's answers, written by test/golden/make_golden.py.
#pragma once

#include "tests/cudnn/device_tensor.h"

namespace frontend {

/// One operation of the golden file: attributes, and which tensors it reads and writes.
struct GoldenCase {
  std::string op, name;
  std::map<std::string, Dims> lists;   // "stride", "pad" (top, bottom, left, right), …
  std::map<std::string, double> numbers;   // "groups", "epsilon", …
  std::map<std::string, std::string> texts;
  std::vector<std::string> reads;

  bool reads_operand(const std::string& operand) const;
};

class GoldenFile {
 public:
  GoldenFile();
  /// The cases of an operation.
  std::vector<GoldenCase> cases(const std::string& op) const;
  /// A tensor of a case, its dimensions put in the order N, C, H, W; a vector is [1, C, 1, 1]. `after` its updated value.
  Array tensor(const GoldenCase& of, const std::string& operand) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

}  // namespace frontend
