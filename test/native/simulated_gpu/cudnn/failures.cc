// Failures on request (simCudnnFail, SIM_FAIL) and the text of the last error.
#include <fnmatch.h>

#include <cstdlib>
#include <mutex>

#include "errors.h"
#include "sim_cudnn.h"

namespace simulated_cudnn {
namespace {

struct Request {
  std::string pattern;
  long n;   // calls until the one that fails
  cudnnStatus_t status;
};

Request parse(const char* text) {
  if (text == nullptr) return {"", 0, CUDNN_STATUS_SUCCESS};
  const std::string all = text;
  const std::size_t colon = all.find(':');
  if (colon == std::string::npos) return {"", 0, CUDNN_STATUS_SUCCESS};   // a number alone is for the CUDA runtime
  const std::size_t second = all.find(':', colon + 1);
  const int status = second == std::string::npos ? 0 : std::atoi(all.c_str() + second + 1);
  return {all.substr(0, colon), std::atol(all.c_str() + colon + 1), static_cast<cudnnStatus_t>(status)};
}

std::mutex mutex;

Request& request() {
  static Request request = parse(std::getenv("SIM_FAIL"));
  return request;
}

thread_local std::string lastError;

}  // namespace

void fail_if_asked(const char* call) {
  const std::lock_guard<std::mutex> lock(mutex);
  Request& asked = request();
  if (asked.n == 0 || fnmatch(asked.pattern.c_str(), call, 0) != 0 || --asked.n != 0) return;
  const bool executes = std::string(call) == "cudnnBackendExecute";
  const cudnnStatus_t usual = executes ? CUDNN_STATUS_EXECUTION_FAILED : CUDNN_STATUS_INTERNAL_ERROR;
  fail(asked.status != CUDNN_STATUS_SUCCESS ? asked.status : usual, "this failure was asked for");
}

void set_last_error(const std::string& message) { lastError = message; }
std::string last_error() { return lastError; }

}  // namespace simulated_cudnn

void simCudnnFail(const char* pattern, long n, cudnnStatus_t status) {
  const std::lock_guard<std::mutex> lock(simulated_cudnn::mutex);
  simulated_cudnn::request() = {pattern, n, status};
}
