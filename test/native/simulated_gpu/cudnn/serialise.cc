// The objects below an engine configuration, each once, numbered so that an object comes after those that it refers to:
//   simulated-plan <cuDNN version> <number of objects>
//   object <type> <number of attributes>
//   <attribute> <type> <count> <its bytes in hexadecimal, or - , or the numbers of its children>
#include "serialise.h"

#include <cudnn_version.h>

#include <iomanip>

namespace simulated_cudnn {
namespace {

/// A handle means nothing in another process.
bool is_kept(const Attribute& attribute) { return attribute.type != CUDNN_TYPE_HANDLE; }

void number(const ObjectRef& object, std::map<Object*, std::size_t>& numbers, std::vector<ObjectRef>& order) {
  if (numbers.count(object.get()) != 0) return;
  for (const auto& [name, attribute] : object->attributes)
    for (const ObjectRef& child : attribute.children) number(child, numbers, order);
  numbers[object.get()] = order.size();
  order.push_back(object);
}

std::string hexadecimal(const std::vector<char>& bytes) {
  std::ostringstream text;
  for (const char byte : bytes)
    text << std::hex << std::setw(2) << std::setfill('0') << static_cast<int>(static_cast<unsigned char>(byte));
  return bytes.empty() ? "-" : text.str();
}

std::vector<char> bytes_of(const std::string& text) {
  std::vector<char> bytes;
  for (std::size_t i = 0; text != "-" && i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

template <typename T>
T next(std::istream& text) {
  T value;
  if (!(text >> value)) fail(CUDNN_STATUS_BAD_PARAM, "the text is no execution plan");
  return value;
}

ObjectRef read_object(std::istream& text, const std::vector<ObjectRef>& earlier) {
  if (next<std::string>(text) != "object") fail(CUDNN_STATUS_BAD_PARAM, "the text is no execution plan");
  auto object = std::make_shared<Object>(static_cast<cudnnBackendDescriptorType_t>(next<int>(text)));
  object->finalized = true;
  for (auto left = next<std::size_t>(text); left > 0; --left) {
    const auto name = static_cast<cudnnBackendAttributeName_t>(next<int>(text));
    Attribute attribute{static_cast<cudnnBackendAttributeType_t>(next<int>(text)), next<std::int64_t>(text), {}, {}};
    if (attribute.type != CUDNN_TYPE_BACKEND_DESCRIPTOR) attribute.bytes = bytes_of(next<std::string>(text));
    else
      for (std::int64_t i = 0; i < attribute.count; ++i) {
        const auto child = next<std::size_t>(text);
        if (child >= earlier.size()) fail(CUDNN_STATUS_BAD_PARAM, "the text is no execution plan");
        attribute.children.push_back(earlier[child]);
      }
    object->attributes[name] = std::move(attribute);
  }
  return object;
}

}  // namespace

std::string text_of_plan(const ObjectRef& engineConfig) {
  std::map<Object*, std::size_t> numbers;
  std::vector<ObjectRef> order;
  number(engineConfig, numbers, order);
  std::ostringstream text;
  text << "simulated-plan " << CUDNN_VERSION << ' ' << order.size() << '\n';
  for (const ObjectRef& object : order) {
    std::ostringstream lines;
    std::size_t kept = 0;
    for (const auto& [name, attribute] : object->attributes) {
      if (!is_kept(attribute)) continue;
      ++kept;
      lines << name << ' ' << attribute.type << ' ' << attribute.count;
      if (attribute.type != CUDNN_TYPE_BACKEND_DESCRIPTOR) lines << ' ' << hexadecimal(attribute.bytes);
      for (const ObjectRef& child : attribute.children) lines << ' ' << numbers[child.get()];
      lines << '\n';
    }
    text << "object " << object->type << ' ' << kept << '\n' << lines.str();
  }
  return text.str();
}

ObjectRef engine_config_of(const std::string& text) {
  std::istringstream words(text);
  if (next<std::string>(words) != "simulated-plan") fail(CUDNN_STATUS_BAD_PARAM, "the text is no execution plan");
  if (const int version = next<int>(words); version != CUDNN_VERSION)
    fail(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH, "the plan was made by cuDNN ", version);
  std::vector<ObjectRef> objects;
  for (auto left = next<std::size_t>(words); left > 0; --left) objects.push_back(read_object(words, objects));
  if (objects.empty() || objects.back()->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
    fail(CUDNN_STATUS_BAD_PARAM, "the text is no execution plan");
  return objects.back();
}

}  // namespace simulated_cudnn
