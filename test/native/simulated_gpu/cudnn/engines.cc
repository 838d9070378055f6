#include "engines.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "interpreter/element.h"

namespace simulated_cudnn {
namespace {

constexpr const char* usualEngines =
    "5 numerical=0 knob=2:1 knob=14:3 shared=49152;"
    "8 numerical=0 behaviour=0 knob=2:3 workspace=4096;"
    "12 workspace=65536;"
    "34 numerical=4 knob=12:1 workspace=1024";

Engine parse(const std::string& text) {
  std::istringstream words(text);
  Engine engine;
  if (!(words >> engine.index)) fail(CUDNN_STATUS_INTERNAL_ERROR, "SIM_CUDNN_ENGINES: '", text, "' does not begin with an index");
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    const long number = std::atol(value.c_str());
    if (name == "numerical") engine.numerical.push_back(static_cast<cudnnBackendNumericalNote_t>(number));
    else if (name == "behaviour") engine.behaviour.push_back(static_cast<cudnnBackendBehaviorNote_t>(number));
    else if (name == "knob")
      engine.knobs.emplace_back(static_cast<cudnnBackendKnobType_t>(number), std::atol(value.c_str() + value.find(':') + 1));
    else if (name == "workspace") engine.workspace = number;
    else if (name == "rounds") engine.rounds = number != 0;
    else if (name == "no_epsilon") engine.faults.noEpsilon = number != 0;
    else if (name == "one_pass") engine.faults.onePass = number != 0;
    else if (name == "lies") engine.faults.lies = static_cast<int>(number);
    else if (name == "leaves") engine.faults.leaves = static_cast<int>(number);
    else if (name == "time") engine.time = static_cast<int>(number);
    else if (name == "shared") engine.shared = static_cast<std::int32_t>(number);
    else fail(CUDNN_STATUS_INTERNAL_ERROR, "SIM_CUDNN_ENGINES: unknown word '", word, "'");
  }
  return engine;
}

/// Whether an environment variable, a list of numbers, has this engine.
bool lists(const char* variable, const Engine& engine) {
  const char* text = std::getenv(variable);
  std::istringstream numbers(text == nullptr ? "" : text);
  for (std::int64_t number; numbers >> number;)
    if (number == engine.index) return true;
  return false;
}

bool has(const Engine& engine, cudnnBackendNumericalNote_t note) {
  return std::find(engine.numerical.begin(), engine.numerical.end(), note) != engine.numerical.end();
}

}  // namespace

std::vector<Engine> offered_engines() {
  const char* asked = std::getenv("SIM_CUDNN_ENGINES");
  std::istringstream texts(asked == nullptr ? usualEngines : asked);
  std::vector<Engine> engines;
  for (std::string text; std::getline(texts, text, ';');) engines.push_back(parse(text));
  return engines;
}

Engine engine_of(std::int64_t index) {
  for (const Engine& engine : offered_engines())
    if (engine.index == index) return engine;
  fail(CUDNN_STATUS_NOT_SUPPORTED, "there is no engine ", index);
}

Distortion distortion_of(const Engine& engine) {
  // Every fifth value is off by an eighth, so that a check which samples a few outputs meets one, but the sum over all looks
  // plausible.
  if (engine.faults.lies > 0 || lists("SIM_CUDNN_LIE", engine))
    return [](double value, std::int64_t position, cudnnDataType_t) {
      return position % 5 == 0 ? value + std::fabs(value) / 8 + 0x1p-4 : value;
    };
  const bool asked = std::getenv("SIM_CUDNN_TF32") != nullptr;
  if (engine.rounds || (asked && has(engine, CUDNN_NUMERICAL_NOTE_TENSOR_CORE)))
    return [](double value, std::int64_t position, cudnnDataType_t type) {
      return type == CUDNN_DATA_FLOAT ? value * (1 + (position % 2 == 0 ? 0x1p-11 : -0x1p-11)) : value;
    };
  if (!has(engine, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return nullptr;
  static std::atomic<int> executions{0};
  if (executions++ % 2 == 0) return nullptr;
  return [](double value, std::int64_t, cudnnDataType_t type) { return value * (1 + epsilon_of(type)); };
}

}  // namespace simulated_cudnn
