// Events: marks in a stream. Recorded in a captured stream, an event only carries dependencies within that capture.
#include "events.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

using Clock = std::chrono::steady_clock;

struct Event {
  int device;
  bool timed;
  Ticket ticket;
  std::shared_ptr<Clock::time_point> time;   // when the record ran
  std::shared_ptr<Capture> capture;          // the one it was last recorded in, if any
  std::vector<std::size_t> nodes;            // what it stands for there
};

// Never destroyed: other threads may still be at work when the process ends.
std::map<cudaEvent_t, std::unique_ptr<Event>>& events = *new std::map<cudaEvent_t, std::unique_ptr<Event>>;

Event* event_of(cudaEvent_t handle) {
  const auto found = events.find(handle);
  return found == events.end() ? nullptr : found->second.get();
}

cudaError_t create_event(cudaEvent_t* handle, unsigned int flags) {
  if (handle == nullptr || (flags & cudaEventInterprocess) != 0) return cudaErrorInvalidValue;
  auto made = std::make_unique<Event>();
  made->device = current_device();
  made->timed = (flags & cudaEventDisableTiming) == 0;
  *handle = reinterpret_cast<cudaEvent_t>(made.get());
  events[*handle] = std::move(made);
  return cudaSuccess;
}

/// An event that the host may wait for.
cudaError_t waitable(cudaEvent_t handle, Event** event) {
  *event = event_of(handle);
  if (*event == nullptr) return cudaErrorInvalidResourceHandle;
  if ((*event)->capture != nullptr) return spoil(*(*event)->capture), cudaErrorCapturedEvent;
  return refuse_in_capture();
}

/// Makes a captured stream wait for an event of the same capture, or draws a stream into the capture of the event.
cudaError_t wait_in_capture(Stream& stream, const Event& event) {
  if (event.capture == nullptr) return spoil(*stream.capture), cudaErrorStreamCaptureIsolation;
  if (event.capture->ended) return cudaErrorCapturedEvent;
  if (stream.capture == nullptr) {
    if (stream.legacy) return spoil(*event.capture), cudaErrorStreamCaptureImplicit;
    stream.capture = event.capture;
    stream.frontier.clear();
  }
  if (stream.capture != event.capture) {
    spoil(*stream.capture);
    spoil(*event.capture);
    return cudaErrorStreamCaptureMerge;
  }
  for (const std::size_t node : event.nodes)
    if (std::find(stream.frontier.begin(), stream.frontier.end(), node) == stream.frontier.end()) stream.frontier.push_back(node);
  return cudaSuccess;
}

}  // namespace

std::size_t simulated_cuda::live_events() { return events.size(); }

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return call(__func__, [&] { return create_event(handle, cudaEventDefault); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned int flags) {
  return call(__func__, [&] { return create_event(handle, flags); });
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return call(__func__, [&] { return events.erase(handle) == 1 ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  return call(__func__, [&] {
    Event* event = event_of(handle);
    const std::shared_ptr<Stream> stream = stream_of(stream_handle);
    if (event == nullptr || stream == nullptr || event->device != stream->device) return cudaErrorInvalidResourceHandle;
    event->capture = stream->capture;
    if (stream->capture != nullptr) {
      event->nodes = stream->frontier;
      return stream->capture->spoiled ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
    }
    if (stream->legacy && spoil_implicit_captures(stream->device)) return cudaErrorStreamCaptureImplicit;
    event->time = std::make_shared<Clock::time_point>();
    event->ticket = append(stream, {"event record", [time = event->time] { *time = Clock::now(); }, {}});
    return cudaSuccess;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned int flags) {
  return call(__func__, [&] {
    const Event* event = event_of(handle);
    const std::shared_ptr<Stream> stream = stream_of(stream_handle);
    if (event == nullptr || stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
    if (stream->capture != nullptr || event->capture != nullptr) return wait_in_capture(*stream, *event);
    append(stream, {"event wait", [] {}, {event->ticket}});
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return call(__func__, [&] {
    Event* event;
    const cudaError_t error = waitable(handle, &event);
    if (error == cudaSuccess) run_until(event->ticket);
    return error;
  });
}

/// Runs the work and says "not ready" once, so that a loop around it ends.
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return call(__func__, [&] {
    Event* event;
    const cudaError_t error = waitable(handle, &event);
    if (error != cudaSuccess || event->ticket.done()) return error;
    run_until(event->ticket);
    return cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start_handle, cudaEvent_t end_handle) {
  return call(__func__, [&] {
    const Event* start = event_of(start_handle);
    const Event* end = event_of(end_handle);
    if (start == nullptr || end == nullptr || !start->timed || !end->timed) return cudaErrorInvalidResourceHandle;
    if (start->time == nullptr || end->time == nullptr) return cudaErrorInvalidResourceHandle;   // never recorded
    if (!start->ticket.done() || !end->ticket.done()) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *start->time).count();
    return cudaSuccess;
  });
}
