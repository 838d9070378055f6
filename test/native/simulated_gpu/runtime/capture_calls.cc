// CUDA's calls about stream capture.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "capture.h"
#include "devices.h"
#include "errors.h"
#include "graphs.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

// Those going on. Never destroyed: other threads may still be at work when the process ends.
std::vector<std::shared_ptr<Capture>>& captures = *new std::vector<std::shared_ptr<Capture>>;
unsigned long long captureCount = 0;
thread_local cudaStreamCaptureMode threadMode = cudaStreamCaptureModeGlobal;

bool forbids(const Capture& capture) {
  if (threadMode == cudaStreamCaptureModeRelaxed || capture.mode == cudaStreamCaptureModeRelaxed) return false;
  if (capture.thread == std::this_thread::get_id()) return true;
  return threadMode == cudaStreamCaptureModeGlobal && capture.mode == cudaStreamCaptureModeGlobal;
}

template <typename Condition>
cudaError_t refuse_if(const Condition& condition) {
  cudaError_t error = cudaSuccess;
  for (const auto& each : captures) {
    if (!condition(*each)) continue;
    spoil(*each);
    error = cudaErrorStreamCaptureUnsupported;
  }
  return error;
}

/// Whether every captured stream has been waited for, directly or not, by the stream that began the capture.
bool is_joined(const Capture& capture) {
  const std::vector<bool> reached = reached_from(*capture.graph, capture.origin->frontier);
  for (const auto& stream : all_streams()) {
    if (stream->capture.get() != &capture) continue;
    for (const std::size_t node : stream->frontier)
      if (!reached[node]) return false;
  }
  return true;
}

cudaError_t capture_status(const std::shared_ptr<Stream>& stream, cudaStreamCaptureStatus* status) {
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->legacy && spoil_implicit_captures(stream->device)) return cudaErrorStreamCaptureImplicit;
  *status = stream->capture == nullptr  ? cudaStreamCaptureStatusNone
            : stream->capture->spoiled ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

/// Appends a line to the file $SIM_LAUNCHES for every graph: how many kernels and library calls it launches.
void count_launches(const Graph& graph) {
  const char* const path = std::getenv("SIM_LAUNCHES");
  if (path == nullptr) return;
  const auto launches = std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.name.rfind("kernel", 0) == 0 || node.name == "library call";
  });
  std::ofstream(path, std::ios::app) << launches << '\n';
}

void end(const std::shared_ptr<Capture>& capture) {
  for (const auto& stream : all_streams()) {
    if (stream->capture != capture) continue;
    stream->capture = nullptr;
    stream->frontier.clear();
  }
  capture->ended = true;
  capture->graph = nullptr;
  captures.erase(std::find(captures.begin(), captures.end(), capture));
}

}  // namespace

namespace simulated_cuda {

cudaError_t capture_node(Stream& stream, const std::string& name, std::function<void()> run) {
  if (stream.capture->spoiled) return cudaErrorStreamCaptureInvalidated;
  std::vector<Node>& nodes = stream.capture->graph->nodes;
  nodes.push_back({name, stream.device, std::move(run), std::move(stream.frontier)});
  stream.frontier = {nodes.size() - 1};
  return cudaSuccess;
}

void spoil(Capture& capture) { capture.spoiled = true; }

bool spoil_implicit_captures(int device) {
  bool found = false;
  for (const auto& stream : all_streams()) {
    if (stream->capture == nullptr || !stream->blocking || stream->device != device) continue;
    spoil(*stream->capture);
    found = true;
  }
  return found;
}

cudaError_t refuse_in_capture() { return refuse_if(forbids); }

cudaError_t refuse_in_any_capture() {
  return refuse_if([](const Capture&) { return true; });
}

}  // namespace simulated_cuda

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return call(__func__, [&] {
    const std::shared_ptr<Stream> stream = stream_of(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->legacy) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture != nullptr) return spoil(*stream->capture), cudaErrorIllegalState;
    const auto thread = std::this_thread::get_id();
    stream->capture = std::make_shared<Capture>(Capture{++captureCount, mode, thread, stream.get(), make_graph()});
    stream->frontier.clear();
    captures.push_back(stream->capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return call(__func__, [&] {
    *graph = nullptr;
    const std::shared_ptr<Stream> stream = stream_of(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<Capture> capture = stream->capture;
    if (capture == nullptr) return cudaErrorIllegalState;
    if (capture->origin != stream.get()) return spoil(*capture), cudaErrorStreamCaptureUnmatched;
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
      return cudaErrorStreamCaptureWrongThread;
    const bool joined = is_joined(*capture);
    const std::shared_ptr<Graph> captured = capture->graph;
    captured->last = stream->frontier;
    end(capture);
    if (capture->spoiled || !joined) {
      forget_graph(captured);
      return capture->spoiled ? cudaErrorStreamCaptureInvalidated : cudaErrorStreamCaptureUnjoined;
    }
    count_launches(*captured);
    *graph = handle_of(captured);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return call(__func__, [&] { return capture_status(stream_of(handle), status); });
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, cudaStreamCaptureStatus* status, unsigned long long* id,
                                     cudaGraph_t* graph, const cudaGraphNode_t** nodes, const cudaGraphEdgeData** edges,
                                     std::size_t* count) {
  return call(__func__, [&] {
    if (nodes != nullptr || edges != nullptr || count != nullptr) return cudaErrorNotSupported;
    const std::shared_ptr<Stream> stream = stream_of(handle);
    const cudaError_t error = capture_status(stream, status);
    if (error != cudaSuccess || *status != cudaStreamCaptureStatusActive) return error;
    if (id != nullptr) *id = stream->capture->id;
    if (graph != nullptr) *graph = handle_of(stream->capture->graph);
    return cudaSuccess;
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return call(__func__, [&] { return std::swap(*mode, threadMode), cudaSuccess; });
}
