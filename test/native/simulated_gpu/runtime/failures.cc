// Counts calls until the one that is to fail.
#include "failures.h"

#include <fnmatch.h>

#include <cstdlib>

#include "errors.h"
#include "sim.h"

namespace simulated_cuda {
namespace {

struct Request {
  std::string pattern;
  long n;   // calls until the one that fails
  cudaError_t error;
};

/// Reads "pattern:n", "pattern:n:error" or "n".
Request parse(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {"cuda*", std::atol(text.c_str()), cudaSuccess};
  const std::size_t second = text.find(':', colon + 1);
  const int error = second == std::string::npos ? 0 : std::atoi(text.c_str() + second + 1);
  return {text.substr(0, colon), std::atol(text.c_str() + colon + 1), static_cast<cudaError_t>(error)};
}

Request& request() {
  static const char* const text = std::getenv("SIM_FAIL");
  static Request request = text == nullptr ? Request{"", 0, cudaSuccess} : parse(text);
  return request;
}

/// What a call most likely fails with, when the request names no error.
cudaError_t usual_error(const std::string& name) {
  for (const char* each : {"cudaMalloc", "cudaMallocHost", "cudaHostAlloc", "cudaGraphInstantiate"})
    if (name == each) return cudaErrorMemoryAllocation;
  return cudaErrorLaunchFailure;
}

}  // namespace

cudaError_t failure_asked_for(const char* name) {
  Request& asked = request();
  if (asked.n == 0 || fnmatch(asked.pattern.c_str(), name, 0) != 0 || --asked.n != 0) return cudaSuccess;
  return asked.error != cudaSuccess ? asked.error : usual_error(name);
}

void ask_for_failure(const std::string& pattern, long n, cudaError_t error) { request() = {pattern, n, error}; }

}  // namespace simulated_cuda

void simFail(const char* pattern, long n, cudaError_t error) {
  const std::lock_guard<std::recursive_mutex> guard(simulated_cuda::runtime_lock());
  simulated_cuda::ask_for_failure(pattern, n, error);
}
