// The backends by device name, each made at first use and kept until the process ends.
#include <map>
#include <mutex>

#include "backend/backend.h"
#include "backend/cuda_library.h"
#include "base/error.h"
#include "onednn/onednn_backend.h"
#include "reference/reference_backend.h"

namespace eraserelu {

namespace {

constexpr int kNoGpu = -1;

/// The number of the GPU that a name stands for: "cuda" is the first one, "cuda:1" the second; kNoGpu for other names.
int gpu_named(const std::string& device) {
  if (device == "cuda") return 0;
  const std::string prefix = "cuda:";
  if (device.compare(0, prefix.size(), prefix) != 0) return kNoGpu;
  const std::string number = device.substr(prefix.size());
  if (number.empty() || number.size() > 3 || number.find_first_not_of("0123456789") != std::string::npos) return kNoGpu;
  const int gpu = std::stoi(number);
  return gpu > 0 && number[0] != '0' ? gpu : kNoGpu;
}

std::unique_ptr<Backend> make_backend(const std::string& device) {
  if (device == "cpu") return make_onednn_backend();
  if (device == "reference") return make_reference_backend();
  const std::string problem = device_problem(device);
  if (!problem.empty()) fail(ErrorCode::Unsupported, "device '", device, "' does not work here: ", problem);
  return open_cuda_backend(gpu_named(device));
}

}  // namespace

Backend& backend_named(const std::string& device) {
  static auto& mutex = *new std::mutex();
  static auto& backends = *new std::map<std::string, Backend*>();   // never deleted: plans may still use them while the process exits
  std::lock_guard<std::mutex> lock(mutex);
  Backend*& backend = backends[device];
  if (!backend) backend = make_backend(device).release();
  return *backend;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names = {"cpu", "reference"};
  for (int gpu = 0; gpu < cuda_devices(); ++gpu) names.push_back(gpu == 0 ? "cuda" : "cuda:" + std::to_string(gpu));
  return names;
}

std::string device_problem(const std::string& device) {
  if (device == "cpu" || device == "reference") return "";
  const int gpu = gpu_named(device);
  if (gpu == kNoGpu) fail(ErrorCode::InvalidArgument, "unknown device '", device, "': use one of 'cpu', 'reference', 'cuda', 'cuda:1'");
  if (gpu < cuda_devices()) return "";
  if (cuda_devices() == 0) return cuda_problem();
  return "the number of GPUs is " + std::to_string(cuda_devices()) + "; the first is 'cuda', the second 'cuda:1'";
}

}  // namespace eraserelu
