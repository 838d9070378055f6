// The vocabulary: every operation a plan can hold. The table in op_desc.cc names what each reads and writes;
// src/graph/vocabulary.ts says the same in TypeScript, and a test compares the two word by word.
//
// Operands are listed by name and found by position. A name with '?' may be left out (present == false);
// a name with '*' stands for one or more tensors and is always last. An operand that stands under the same name on
// both sides is updated in place: both entries are the same memory.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/tensor_desc.h"

namespace eraserelu {

/// How an operation treats the batch (dimension 0 of its activations): `map` image by image, `reduce` sums over images,
/// `whole` needs all of it at once. Only map and reduce operations may stand in a tiled region.
enum class Batch { map, reduce, whole };

struct OpSpec {
  const char* name;
  const char* reads;
  const char* writes;
  const char* attributes;   // names only, space separated
  Batch batch;
};

const std::vector<OpSpec>& vocabulary();
const OpSpec& op_spec(std::string_view name);   // throws InvalidArgument

const char* name_of(Batch batch);

/// The attributes of one node. Integers and booleans are stored as numbers.
class Attributes {
 public:
  using Value = std::variant<double, std::string, std::vector<double>>;

  void set(const std::string& name, Value value) { values_[name] = std::move(value); }
  bool has(const std::string& name) const { return values_.count(name) != 0; }

  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  bool flag(const std::string& name) const { return number(name) != 0; }
  const std::string& text(const std::string& name) const;
  const std::vector<double>& numbers(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;

 private:
  const Value& at(const std::string& name) const;
  std::map<std::string, Value> values_;
};

/// An entry of a list such as "x w bias? residual?".
struct OperandName {
  std::string name;
  bool optional;   // '?'
  bool many;       // '*'
};

std::vector<OperandName> operand_names(std::string_view list);

/// One node of a plan with all that a backend needs to prepare it.
struct OpDesc {
  const OpSpec* spec = nullptr;
  std::string node;                 // the layer's name, for messages: "layer1.0.conv2"
  Attributes attributes;
  std::vector<TensorDesc> reads;    // by position in spec->reads
  std::vector<TensorDesc> writes;   // by position in spec->writes
  std::int64_t chunk = 0;           // images a launch when the node stands in a tiled region; 0: all at once

  bool is(std::string_view name) const { return name == spec->name; }
  const TensorDesc& read(std::string_view operand) const;
  const TensorDesc& write(std::string_view operand) const;
  std::size_t read_index(std::string_view operand) const;    // throws Internal when the operation has no such operand
  std::size_t write_index(std::string_view operand) const;
  std::string to_string() const;    // "conv2d layer1.0.conv1: x [8,32,32,16] f32, w [16,3,3,16] f32 -> y …"
};

}  // namespace eraserelu
