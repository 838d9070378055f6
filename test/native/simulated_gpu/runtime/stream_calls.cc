// CUDA's calls about streams, and the entry for other stand-ins.
#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "sim.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

cudaError_t create_stream(cudaStream_t* handle, unsigned int flags) {
  if (handle == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
  *handle = reinterpret_cast<cudaStream_t>(make_stream(flags == cudaStreamDefault).get());
  return cudaSuccess;
}

/// A stream that the host may wait for.
cudaError_t waitable(cudaStream_t handle, std::shared_ptr<Stream>* stream) {
  *stream = stream_of(handle);
  if (*stream == nullptr) return cudaErrorInvalidResourceHandle;
  if ((*stream)->capture != nullptr) return spoil(*(*stream)->capture), cudaErrorStreamCaptureUnsupported;
  return refuse_in_capture();
}

}  // namespace

cudaError_t cudaStreamCreate(cudaStream_t* handle) {
  return call(__func__, [&] { return create_stream(handle, cudaStreamDefault); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned int flags) {
  return call(__func__, [&] { return create_stream(handle, flags); });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned int flags, int) {
  return call(__func__, [&] { return create_stream(handle, flags); });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return call(__func__, [&] {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    if (stream == nullptr || stream->legacy) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) return spoil(*stream->capture), cudaErrorStreamCaptureUnsupported;
    run_until(end_of(stream));
    forget_stream(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return call(__func__, [&] {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = waitable(handle, &stream);
    if (error == cudaSuccess) run_until(end_of(stream));
    return error;
  });
}

/// Runs the work and says "not ready" once, so that a loop around it ends.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return call(__func__, [&] {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = waitable(handle, &stream);
    if (error != cudaSuccess || end_of(stream).done()) return error;
    run_until(end_of(stream));
    return cudaErrorNotReady;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  return call(__func__, [&] {
    if (function == nullptr) return cudaErrorInvalidValue;
    return enqueue(handle, "host function", [=] { call_host([=] { function(data); }); });
  });
}

cudaError_t simEnqueueC(cudaStream_t handle, const std::function<const char*()>* work) {
  return call(__func__, [&] {
    return enqueue(handle, "library call", [work = *work] {
      if (const char* complaint = work()) throw Fault{cudaErrorIllegalAddress, complaint};
    });
  });
}
