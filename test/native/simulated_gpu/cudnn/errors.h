// How the stand-in reports a failure: inside it is an exception, at the C border a status and the text of
// cudnnGetLastErrorString.
#pragma once

#include <cudnn_graph.h>

#include <exception>
#include <sstream>
#include <string>

namespace simulated_cudnn {

struct Failure : std::exception {
  Failure(cudnnStatus_t status, std::string message) : status(status), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }
  cudnnStatus_t status;
  std::string message;
};

template <typename... Parts>
[[noreturn]] void fail(cudnnStatus_t status, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Failure(status, text.str());
}

/// Throws the failure that SIM_FAIL asks for at this call, if any.
void fail_if_asked(const char* call);

void set_last_error(const std::string& message);
std::string last_error();   // of this thread

/// Runs the body of one C call.
template <typename Body>
cudnnStatus_t guarded(const char* call, Body&& body) {
  try {
    fail_if_asked(call);
    body();
    return CUDNN_STATUS_SUCCESS;
  } catch (const Failure& failure) {
    set_last_error(std::string(call) + ": " + failure.message);
    return failure.status;
  } catch (const std::exception& error) {
    set_last_error(std::string(call) + ": " + error.what());
    return CUDNN_STATUS_INTERNAL_ERROR;
  }
}

}  // namespace simulated_cudnn
