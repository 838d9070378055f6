// Sticky errors, the last error of a thread, names of errors.
#include "errors.h"

#include <cstdio>
#include <map>

#include "devices.h"
#include "failures.h"
#include "record.h"
#include "sim.h"
#include "streams.h"

namespace simulated_cuda {
namespace {

struct Sticky {
  cudaError_t error;
  std::string message;
};
std::map<int, Sticky> stickyErrors;   // by device
thread_local cudaError_t lastError = cudaSuccess;

cudaError_t sticky_error() {
  const auto found = stickyErrors.find(current_device());
  return found == stickyErrors.end() ? cudaSuccess : found->second.error;
}

/// Errors after which a device does nothing any more.
bool is_sticky(cudaError_t error) {
  switch (error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
      return true;
    default:
      return false;
  }
}

struct Name {
  cudaError_t error;
  const char* name;
  const char* text;
};
#define NAME(error, text) {error, #error, text}
const Name names[] = {
    NAME(cudaSuccess, "no error"),
    NAME(cudaErrorInvalidValue, "invalid argument"),
    NAME(cudaErrorMemoryAllocation, "out of memory"),
    NAME(cudaErrorInitializationError, "initialization error"),
    NAME(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    NAME(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    NAME(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    NAME(cudaErrorInvalidDevice, "invalid device ordinal"),
    NAME(cudaErrorPeerAccessUnsupported, "peer access is not supported between these two devices"),
    NAME(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered"),
    NAME(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    NAME(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    NAME(cudaErrorNotReady, "device not ready"),
    NAME(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    NAME(cudaErrorMisalignedAddress, "misaligned address"),
    NAME(cudaErrorLaunchFailure, "unspecified launch failure"),
    NAME(cudaErrorNotPermitted, "operation not permitted"),
    NAME(cudaErrorNotSupported, "operation not supported"),
    NAME(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    NAME(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    NAME(cudaErrorStreamCaptureMerge, "operation would result in a merge of separate capture sequences"),
    NAME(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began"),
    NAME(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    NAME(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream"),
    NAME(cudaErrorStreamCaptureImplicit, "operation would make the legacy stream depend on a capturing blocking stream"),
    NAME(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream"),
    NAME(cudaErrorStreamCaptureWrongThread, "attempt to terminate a thread-local capture sequence from another thread"),
    NAME(cudaErrorUnknown, "unknown error"),
};
#undef NAME

const Name* name_of(cudaError_t error) {
  for (const Name& each : names)
    if (each.error == error) return &each;
  return nullptr;
}

}  // namespace

std::recursive_mutex& runtime_lock() {
  static std::recursive_mutex lock;
  return lock;
}

void end_device(int device, const Fault& fault) {
  std::fprintf(stderr, "simulated GPU: %s\n", fault.message.c_str());
  stickyErrors.emplace(device, Sticky{fault.error, fault.message});
}

bool device_ended(int device) { return stickyErrors.count(device) != 0; }

cudaError_t error_before(const char* name) {
  if (in_host_function()) return cudaErrorNotPermitted;
  record_call(name);
  const cudaError_t asked = failure_asked_for(name);
  if (is_sticky(asked)) end_device(current_device(), {asked, std::string("failure asked for in ") + name});
  const cudaError_t sticky = sticky_error();
  return sticky != cudaSuccess ? sticky : asked;
}

cudaError_t remember(cudaError_t error) {
  const cudaError_t sticky = error == cudaSuccess ? sticky_error() : error;   // the body may have run device work
  if (sticky != cudaSuccess && sticky != cudaErrorNotReady) lastError = sticky;
  return sticky;
}

}  // namespace simulated_cuda

using namespace simulated_cuda;

cudaError_t cudaPeekAtLastError() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  return lastError;
}

cudaError_t cudaGetLastError() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  const cudaError_t error = lastError;
  lastError = sticky_error();
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  const Name* name = name_of(error);
  return name == nullptr ? "unrecognized error code" : name->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const Name* name = name_of(error);
  return name == nullptr ? "unrecognized error code" : name->text;
}

const char* simFault() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  const auto found = stickyErrors.find(current_device());
  return found == stickyErrors.end() ? "" : found->second.message.c_str();
}

void simForgetErrors() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  stickyErrors.clear();
  lastError = cudaSuccess;
  ask_for_failure("", 0, cudaSuccess);
}
