// Errors. Every failure in native code is thrown as Error with one of these codes; binding/ turns it into
// the JavaScript error class of the same name. Nothing in native code ends the process.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace eraserelu {

enum class ErrorCode { InvalidArgument, Unsupported, OutOfMemory, DeviceError, NotFinite, Aborted, Internal };

// Visible, so that one thrown in eraserelu_cuda.so is caught as the same type in the addon.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// Throws Error(code) with the arguments streamed together: fail(ErrorCode::Internal, "got ", n, " images").
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, Parts&&... parts) {
  std::ostringstream message;
  (message << ... << std::forward<Parts>(parts));
  throw Error(code, message.str());
}

/// Throws an Internal error unless the condition holds: for mistakes of ours, never of the user's.
template <typename... Parts>
void check(bool condition, Parts&&... parts) {
  if (!condition) fail(ErrorCode::Internal, std::forward<Parts>(parts)...);
}

}  // namespace eraserelu
