#include "tests/cudnn/golden_file.h"

#include <cudnn_frontend/thirdparty/nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace frontend {
namespace {

using Json = nlohmann::json;

}  // namespace

struct GoldenFile::Contents {
  Json header;
  std::vector<char> data;
};

bool GoldenCase::reads_operand(const std::string& operand) const {
  return std::find(reads.begin(), reads.end(), operand) != reads.end();
}

GoldenFile::GoldenFile() {
  std::ifstream file(GOLDEN_FOLDER "/layers.safetensors", std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " GOLDEN_FOLDER "/layers.safetensors");
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::uint64_t length = 0;
  std::memcpy(&length, all.data(), sizeof length);
  const auto contents = std::make_shared<Contents>();
  contents->header = Json::parse(all.substr(8, length));
  contents->data.assign(all.begin() + 8 + static_cast<std::ptrdiff_t>(length), all.end());
  contents_ = contents;
}

std::vector<GoldenCase> GoldenFile::cases(const std::string& op) const {
  std::vector<GoldenCase> result;
  for (const Json& entry : Json::parse(contents_->header["__metadata__"]["cases"].get<std::string>())) {
    if (entry["op"] != op) continue;
    GoldenCase each{op, entry["name"], {}, {}, {}, entry["reads"].get<std::vector<std::string>>()};
    for (const auto& [name, value] : entry["attributes"].items()) {
      if (value.is_array()) each.lists[name] = value.get<Dims>();
      else if (value.is_string()) each.texts[name] = value;
      else each.numbers[name] = value;
    }
    result.push_back(each);
  }
  return result;
}

Array GoldenFile::tensor(const GoldenCase& of, const std::string& operand) const {
  const Json& entry = contents_->header.at(of.name + "/" + operand);
  const Dims shape = entry["shape"].get<Dims>();
  Array array(shape.size() == 4 ? Dims{shape[0], shape[3], shape[1], shape[2]} : Dims{1, shape.at(0), 1, 1});
  const char* first = contents_->data.data() + entry["data_offsets"][0].get<std::int64_t>();
  const bool bytes = entry["dtype"] == "U8";
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    float value = 0;
    if (!bytes) std::memcpy(&value, first + i * sizeof value, sizeof value);
    array.values[i] = bytes ? static_cast<unsigned char>(first[i]) : value;
  }
  return array;
}

}  // namespace frontend
