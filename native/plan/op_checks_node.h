// What the rules of op_checks_*.cc are written with: a node's operands by name, and requirements that fail with a message.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "plan/op_desc.h"

namespace eraserelu {

template <typename... Parts>
void require(bool condition, Parts&&... parts) {
  if (!condition) fail(ErrorCode::InvalidArgument, std::forward<Parts>(parts)...);
}

struct Operand {
  std::string name;
  bool optional;
  const TensorDesc* tensor;
};

/// A node's operands by name, whichever side they stand on.
class Node {
 public:
  explicit Node(const OpDesc& desc) : attributes(desc.attributes) {
    collect(desc.spec->reads, desc.reads, "read");
    reads_ = operands_.size();
    collect(desc.spec->writes, desc.writes, "written");
  }

  const Attributes& attributes;

  const std::vector<Operand>& operands() const { return operands_; }

  const TensorDesc& operator[](const std::string& name) const {
    for (const Operand& operand : operands_)
      if (operand.name == name) return *operand.tensor;
    fail(ErrorCode::Internal, "no operand '", name, "'");
  }

  const Shape& shape(const std::string& name) const { return (*this)[name].shape; }
  bool has(const std::string& name) const { return (*this)[name].present; }

  const Shape& shape(const std::string& name, std::size_t rank) const {
    require(shape(name).size() == rank, name, " must have ", rank, " dimensions");
    return shape(name);
  }

  /// Every named operand that is present must have this shape.
  void expect(const Shape& wanted, const std::vector<std::string>& names) const {
    for (const std::string& name : names)
      for (const Operand& operand : operands_)
        require(operand.name != name || !operand.tensor->present || operand.tensor->shape == wanted, name, " must be ",
                to_string(wanted), ", not ", to_string(operand.tensor->shape));
  }

  /// An operand under the same name on both sides is one tensor.
  void check_in_place() const {
    for (std::size_t i = 0; i < reads_; ++i)
      for (std::size_t j = reads_; j < operands_.size(); ++j) {
        const TensorDesc& read = *operands_[i].tensor;
        const TensorDesc& written = *operands_[j].tensor;
        if (operands_[i].name == operands_[j].name)
          require(read.present == written.present && read.dtype == written.dtype && read.shape == written.shape,
                  operands_[i].name, " is updated in place and must be the same on both sides");
      }
  }

 private:
  void collect(const char* names, const std::vector<TensorDesc>& tensors, const char* side) {
    std::size_t index = 0;
    for (const auto& [name, optional, many] : operand_names(names)) {
      require(index < tensors.size(), name, " is missing among the operands ", side);
      for (; index < tensors.size(); ++index) {
        operands_.push_back({name, optional, &tensors[index]});
        if (!many) break;
      }
      if (many) return;
      ++index;
    }
    require(index == tensors.size(), tensors.size(), " operands ", side, ", expected ", index);
  }

  std::vector<Operand> operands_;
  std::size_t reads_ = 0;
};

/// Whether an operand is in a list such as "x y".
inline bool names(std::string_view list, const std::string& operand) {
  std::istringstream words{std::string(list)};
  for (std::string name; words >> name;)
    if (name == operand) return true;
  return false;
}

inline std::vector<std::int64_t> integers(const Node& n, const char* name, std::size_t length, std::int64_t least) {
  std::vector<std::int64_t> values = n.attributes.integers(name);
  require(values.size() == length, name, " must hold ", length, " numbers");
  for (std::int64_t value : values) require(value >= least, name, " must be at least ", least, ", got ", value);
  return values;
}

inline void check_fraction(const Node& n, const char* name) {
  const double value = n.attributes.number(name);
  require(value >= 0 && value <= 1, name, " must be in [0,1], got ", value);
}

inline void check_epsilon(const Node& n) { require(n.attributes.number("epsilon") > 0, "epsilon must be positive"); }

using Rules = std::map<std::string_view, void (*)(const Node&)>;

extern const Rules kLayerRules;    // op_checks_layers.cc: convolution, batch norm, pooling, shortcuts
extern const Rules kTensorRules;   // op_checks_tensors.cc: elementwise, shape, loss, images, update

}  // namespace eraserelu
