#include "check/operation_line.h"

#include <sstream>

#include "base/error.h"

namespace eraserelu {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

template <typename Number, typename Convert>
std::vector<Number> numbers(const std::string& text, const Convert& convert) {
  std::vector<Number> result;
  for (const std::string& part : split(text, ',')) result.push_back(convert(part));
  return result;
}

Attributes::Value value_of(const std::string& text) {
  const auto number = [](const std::string& digits) { return std::stod(digits); };
  if (text.front() == '[') return numbers<double>(text.substr(1, text.size() - 2), number);
  if (text.find_first_not_of("0123456789.eE+-") == std::string::npos) return number(text);
  return text;
}

std::vector<TensorDesc> tensors_of(const std::string& text) {
  std::vector<TensorDesc> tensors;
  for (const std::string& part : split(text, ';')) {
    TensorDesc& tensor = tensors.emplace_back();
    tensor.present = part != "-";
    if (!tensor.present) continue;
    const std::size_t colon = part.find(':');
    tensor.dtype = dtype_named(part.substr(0, colon));
    tensor.shape = numbers<std::int64_t>(part.substr(colon + 1), [](const std::string& digits) { return std::stoll(digits); });
  }
  return tensors;
}

}  // namespace

OpDesc operation_of(const std::string& line) {
  const std::vector<std::string> fields = split(line, '\t');
  check(fields.size() == 5, "an operation has five fields, not ", fields.size(), ": ", line);
  OpDesc desc;
  desc.spec = &op_spec(fields[0]);
  desc.node = fields[0];
  desc.chunk = std::stoll(fields[1]);
  for (const std::string& attribute : split(fields[2], ';')) {
    const std::size_t equals = attribute.find('=');
    desc.attributes.set(attribute.substr(0, equals), value_of(attribute.substr(equals + 1)));
  }
  desc.reads = tensors_of(fields[3]);
  desc.writes = tensors_of(fields[4]);
  return desc;
}

}  // namespace eraserelu
