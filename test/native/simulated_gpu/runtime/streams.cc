// The queues and the order in which they run.
#include "streams.h"

#include <algorithm>

#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "faults.h"
#include "memory.h"
#include "order.h"
#include "record.h"

namespace simulated_cuda {
namespace {

// Oldest first. Never destroyed: other threads may still be at work when the process ends.
std::vector<std::shared_ptr<Stream>>& streams = *new std::vector<std::shared_ptr<Stream>>;
thread_local bool inHostFunction = false;

std::shared_ptr<Stream> legacy_stream(int device) {
  for (const auto& each : streams)
    if (each->legacy && each->device == device) return each;
  streams.push_back(std::make_shared<Stream>());
  streams.back()->device = device;
  streams.back()->legacy = true;
  return streams.back();
}

bool is_ready(const Stream& stream) {
  if (stream.queue.empty()) return false;
  const auto& after = stream.queue.front().after;
  return std::all_of(after.begin(), after.end(), [](const Ticket& each) { return each.done(); });
}

/// A stream with a ready operation that has to run before `stream` gets on.
Stream& first_needed(Stream& stream) {
  for (const Ticket& each : stream.queue.front().after)
    if (!each.done()) return first_needed(*each.stream);
  return stream;
}

Stream& choose(Stream& target) {
  if (order() == Order::forward) return first_needed(target);
  std::vector<Stream*> ready;
  for (const auto& each : streams)
    if (is_ready(*each)) ready.push_back(each.get());
  if (order() == Order::shuffled) return *ready[random_below(ready.size())];
  const auto other = std::find_if(ready.rbegin(), ready.rend(), [&](const Stream* each) { return each != &target; });
  return other == ready.rend() ? target : **other;
}

void drop_work_of(int device) {
  for (const auto& each : streams) {
    if (each->device != device) continue;
    each->queue.clear();
    each->completed = each->submitted;
  }
}

void run_next(Stream& stream) {
  const Operation operation = std::move(stream.queue.front());
  stream.queue.pop_front();
  const auto at = std::find_if(streams.begin(), streams.end(), [&](const auto& each) { return each.get() == &stream; });
  record_work(operation.name + " of stream " + std::to_string(at - streams.begin()));
  try {
    perform(stream.device, operation.name, operation.run);
    ++stream.completed;
  } catch (const Fault& fault) {
    end_device(stream.device, fault);
    drop_work_of(stream.device);
  }
}

}  // namespace

std::shared_ptr<Stream> make_stream(bool blocking) {
  auto made = std::make_shared<Stream>();
  made->device = current_device();
  made->blocking = blocking;
  streams.push_back(made);
  return made;
}

void forget_stream(const std::shared_ptr<Stream>& stream) { streams.erase(std::find(streams.begin(), streams.end(), stream)); }

const std::vector<std::shared_ptr<Stream>>& all_streams() { return streams; }

std::shared_ptr<Stream> stream_of(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) return legacy_stream(current_device());
  for (const auto& each : streams)
    if (reinterpret_cast<cudaStream_t>(each.get()) == handle && !each->legacy) return each;
  return nullptr;
}

cudaError_t enqueue(cudaStream_t handle, const std::string& name, std::function<void()> run) {
  const std::shared_ptr<Stream> stream = stream_of(handle);
  if (stream == nullptr || stream->device != current_device()) return cudaErrorInvalidResourceHandle;
  if (stream->capture != nullptr) return capture_node(*stream, name, std::move(run));
  if (stream->legacy && spoil_implicit_captures(stream->device)) return cudaErrorStreamCaptureImplicit;
  append(stream, {name, std::move(run), {}});
  return cudaSuccess;
}

Ticket append(const std::shared_ptr<Stream>& stream, Operation operation) {
  if (device_ended(stream->device)) return {};
  if (stream->legacy) {
    for (const auto& each : streams)
      if (each != stream && each->device == stream->device && each->blocking) operation.after.push_back(end_of(each));
  } else if (stream->blocking) {
    operation.after.push_back(end_of(legacy_stream(stream->device)));
  }
  stream->queue.push_back(std::move(operation));
  ++stream->submitted;
  return end_of(stream);
}

Ticket end_of(const std::shared_ptr<Stream>& stream) { return {stream, stream->submitted}; }

void run_until(const Ticket& ticket) {
  catch_faults();
  while (!ticket.done()) run_next(choose(*ticket.stream));
  open_memory(-1);
}

void run_device(int device) {
  for (std::size_t i = 0; i < streams.size(); ++i)
    if (streams[i]->device == device) run_until(end_of(streams[i]));
}

void run_everything() {
  for (int device = 0; device < deviceCount; ++device) run_device(device);
}

void perform(int device, const std::string& name, const std::function<void()>& run) {
  try {
    open_memory(device);
    run();
    open_memory(device);
    if (const std::string complaint = overwritten(); !complaint.empty()) throw Fault{cudaErrorIllegalAddress, complaint};
  } catch (const Fault& fault) {
    throw Fault{fault.error, name + ": " + fault.message};
  }
}

void call_host(const std::function<void()>& function) {
  open_memory(-1);
  inHostFunction = true;
  function();
  inHostFunction = false;
}

bool in_host_function() { return inHostFunction; }

}  // namespace simulated_cuda
