// Streams are queues of operations that nothing runs until somebody waits. Then the order is as SIM_ORDER says: forward, only
// what the wait needs; backward, every other stream first; shuffled, any operation that is ready. So a missing wait shows.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace simulated_cuda {

struct Capture;
struct Stream;

/// A position in a stream: done when so many of its operations have run.
struct Ticket {
  std::shared_ptr<Stream> stream;
  std::uint64_t position = 0;

  bool done() const;
};

struct Operation {
  std::string name;
  std::function<void()> run;   // throws Fault
  std::vector<Ticket> after;   // of other streams
};

struct Stream {
  int device = 0;
  bool legacy = false;     // the stream 0 of its device
  bool blocking = true;    // waits for stream 0 and the other way round
  std::deque<Operation> queue;
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;
  std::shared_ptr<Capture> capture;     // not null while it is captured
  std::vector<std::size_t> frontier;    // what the next captured node comes after
};

inline bool Ticket::done() const { return stream == nullptr || stream->completed >= position; }

std::shared_ptr<Stream> make_stream(bool blocking);   // on the current device
void forget_stream(const std::shared_ptr<Stream>& stream);
const std::vector<std::shared_ptr<Stream>>& all_streams();

/// nullptr when the handle names no stream.
std::shared_ptr<Stream> stream_of(cudaStream_t handle);

/// Appends an operation to the stream, or to the graph it is captured into.
cudaError_t enqueue(cudaStream_t handle, const std::string& name, std::function<void()> run);

/// Appends to a stream that is not captured, behind `after`; returns the new end of the stream.
Ticket append(const std::shared_ptr<Stream>& stream, Operation operation);

Ticket end_of(const std::shared_ptr<Stream>& stream);
void run_until(const Ticket& ticket);
void run_device(int device);
void run_everything();

/// Runs one piece of work with the memory of `device` open, and looks for writes outside of allocations afterwards.
void perform(int device, const std::string& name, const std::function<void()>& run);

/// Calls a function of the host in the middle of device work.
void call_host(const std::function<void()>& function);
bool in_host_function();   // of this thread

}  // namespace simulated_cuda
