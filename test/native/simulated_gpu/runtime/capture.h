// Stream capture: while it goes on, work becomes nodes of a graph, and calls that would wait or allocate are refused.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace simulated_cuda {

struct Graph;
struct Stream;

struct Capture {
  unsigned long long id;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  const Stream* origin;
  std::shared_ptr<Graph> graph;
  bool spoiled = false;   // a forbidden call was made: cudaStreamEndCapture will say so
  bool ended = false;
};

cudaError_t capture_node(Stream& stream, const std::string& name, std::function<void()> run);

void spoil(Capture& capture);

/// Spoils the captures on blocking streams of a device, because stream 0 was used; whether there were any.
bool spoil_implicit_captures(int device);

/// For calls that may wait or allocate: spoils the captures that forbid it to this thread, and returns 900 if there are any.
cudaError_t refuse_in_capture();

/// For calls that wait for a whole device: no capture, whatever its mode, allows them.
cudaError_t refuse_in_any_capture();

}  // namespace simulated_cuda
