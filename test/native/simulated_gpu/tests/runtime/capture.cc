// Capture and replay: nothing runs at capture, dependencies are kept, what a capture forbids is refused.
#include <thread>

#include "cuda.h"
#include "runtime/order.h"

using simulated_cuda::Order;

namespace {

constexpr auto global = cudaStreamCaptureModeGlobal;
constexpr auto threadLocal = cudaStreamCaptureModeThreadLocal;
constexpr auto relaxed = cudaStreamCaptureModeRelaxed;

cudaGraphExec_t instantiate(cudaGraph_t graph) {
  cudaGraphExec_t executable;
  CUDA(cudaGraphInstantiate(&executable, graph, 0));
  return executable;
}

/// Replays a = 7 in one stream and then b = a in another; without the wait both are joined at the end only.
int replayed_copy(bool with_wait) {
  int* a = make_ints(1, 0);
  int* b = make_ints(1, 0);
  cudaStream_t main = make_stream();
  cudaStream_t side = make_stream();
  cudaEvent_t fork = make_event();
  cudaEvent_t ready = make_event();
  cudaEvent_t join = make_event();
  CUDA(cudaStreamBeginCapture(main, global));
  CUDA(cudaEventRecord(fork, main));
  CUDA(cudaStreamWaitEvent(side, fork, 0));
  submit(side, [=] { *a = 7; });
  CUDA(cudaEventRecord(ready, side));
  if (with_wait) CUDA(cudaStreamWaitEvent(main, ready, 0));
  submit(main, [=] { *b = *a; });
  CUDA(cudaEventRecord(join, side));
  CUDA(cudaStreamWaitEvent(main, join, 0));
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(main, &graph));
  CUDA(cudaGraphLaunch(instantiate(graph), main));
  CUDA(cudaStreamSynchronize(main));
  return read_int(b);
}

/// What cudaStreamEndCapture says after `call` was made while `stream` was captured.
template <typename Call>
cudaError_t end_after(cudaStreamCaptureMode mode, const Call& call) {
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamBeginCapture(stream, mode));
  call(stream);
  cudaGraph_t graph;
  return cudaStreamEndCapture(stream, &graph);
}

}  // namespace

TEST(captured_work_runs_at_each_replay) {
  int runs = 0;
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamBeginCapture(stream, global));
  submit(stream, [&] { ++runs; });
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = instantiate(graph);
  std::size_t nodes;
  CUDA(cudaGraphGetNodes(graph, nullptr, &nodes));
  CHECK_EQUAL(nodes, 1u);
  CUDA(cudaGraphDestroy(graph));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQUAL(runs, 0);
  for (int i = 0; i < 3; ++i) CUDA(cudaGraphLaunch(executable, stream));
  CUDA(cudaGraphExecDestroy(executable));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQUAL(runs, 3);
}

TEST(launches_of_one_graph_run_one_after_the_other) {
  std::string order;
  cudaStream_t first = make_stream();
  cudaStream_t second = make_stream();
  CUDA(cudaStreamBeginCapture(first, global));
  submit(first, [&] { order += "g"; });
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(first, &graph));
  cudaGraphExec_t executable = instantiate(graph);
  submit(first, [&] { order += "1"; });
  CUDA(cudaGraphLaunch(executable, first));
  CUDA(cudaGraphLaunch(executable, second));
  CUDA(cudaStreamSynchronize(second));
  CHECK_EQUAL(order, "1gg");
}

TEST(pinned_memory_is_read_at_each_replay) {
  int* memory = make_ints(1, 0);
  int* pinned = make_pinned_int(1);
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamBeginCapture(stream, global));
  CUDA(cudaMemcpyAsync(memory, pinned, 4, cudaMemcpyHostToDevice, stream));
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = instantiate(graph);
  for (int value = 5; value < 8; ++value) {
    *pinned = value;
    CUDA(cudaGraphLaunch(executable, stream));
    CUDA(cudaStreamSynchronize(stream));
    CHECK_EQUAL(read_int(memory), value);
  }
}

TEST(a_wait_inside_a_capture_is_kept) {
  for (int i = 0; i < 20; ++i) CHECK_EQUAL(replayed_copy(true), 7);
}

TEST(a_missing_wait_inside_a_capture_shows) {
  int wrong = 0;
  for (int i = 0; i < 40; ++i) wrong += replayed_copy(false) != 7;
  if (simulated_cuda::order() == Order::backward) CHECK_EQUAL(wrong, 0);
  if (simulated_cuda::order() != Order::backward) CHECK(wrong > 0);
}

TEST(unjoined_work_is_refused) {
  cudaStream_t side = make_stream();
  cudaEvent_t fork = make_event();
  const cudaError_t error = end_after(global, [&](cudaStream_t stream) {
    CUDA(cudaEventRecord(fork, stream));
    CUDA(cudaStreamWaitEvent(side, fork, 0));
    submit(side, [] {});
  });
  CHECK_EQUAL(error, cudaErrorStreamCaptureUnjoined);
  submit(side, [] {});
  CUDA(cudaStreamSynchronize(side));   // it is an ordinary stream again
}

TEST(allocation_is_refused) {
  void* memory;
  const auto allocate = [&](cudaStream_t) { CHECK_EQUAL(cudaMalloc(&memory, 4), cudaErrorStreamCaptureUnsupported); };
  CHECK_EQUAL(end_after(global, allocate), cudaErrorStreamCaptureInvalidated);
  CHECK_EQUAL(end_after(threadLocal, allocate), cudaErrorStreamCaptureInvalidated);
  CUDA(end_after(relaxed, [&](cudaStream_t) { CUDA(cudaMalloc(&memory, 4)); }));
}

TEST(allocation_in_another_thread_is_refused_by_global_captures_only) {
  cudaError_t error;
  const auto allocate = [&](cudaStream_t) {
    std::thread([&] {
      void* memory;
      error = cudaMalloc(&memory, 4);
    }).join();
  };
  CHECK_EQUAL(end_after(global, allocate), cudaErrorStreamCaptureInvalidated);
  CHECK_EQUAL(error, cudaErrorStreamCaptureUnsupported);
  CUDA(end_after(threadLocal, allocate));
  CUDA(error);
}

TEST(a_thread_can_relax_its_own_mode) {
  CUDA(end_after(threadLocal, [&](cudaStream_t) {
    cudaStreamCaptureMode mode = relaxed;
    CUDA(cudaThreadExchangeStreamCaptureMode(&mode));
    void* memory;
    CUDA(cudaMalloc(&memory, 4));
    CUDA(cudaThreadExchangeStreamCaptureMode(&mode));
    CHECK_EQUAL(mode, relaxed);
  }));
}

TEST(waiting_is_refused) {
  cudaEvent_t event = make_event();
  const auto refused = [](cudaError_t error) { CHECK_EQUAL(error, cudaErrorStreamCaptureUnsupported); };
  const auto invalidated = cudaErrorStreamCaptureInvalidated;
  CHECK_EQUAL(end_after(relaxed, [&](cudaStream_t stream) { refused(cudaStreamSynchronize(stream)); }), invalidated);
  CHECK_EQUAL(end_after(relaxed, [&](cudaStream_t stream) { refused(cudaStreamQuery(stream)); }), invalidated);
  CHECK_EQUAL(end_after(relaxed, [&](cudaStream_t) { refused(cudaDeviceSynchronize()); }), invalidated);
  CHECK_EQUAL(end_after(global, [&](cudaStream_t) { refused(cudaEventSynchronize(event)); }), invalidated);
  CHECK_EQUAL(end_after(global, [&](cudaStream_t) { refused(cudaEventQuery(event)); }), invalidated);
}

TEST(copies_that_may_wait_are_refused) {
  int* memory = make_ints(1, 0);
  int host = 1;
  const auto refused = [](cudaError_t error) { CHECK_EQUAL(error, cudaErrorStreamCaptureUnsupported); };
  const auto copy = cudaMemcpyHostToDevice;
  const auto invalidated = cudaErrorStreamCaptureInvalidated;
  const auto waits = [&](cudaStream_t) { refused(cudaMemcpy(memory, &host, 4, copy)); };
  const auto stages = [&](cudaStream_t stream) { refused(cudaMemcpyAsync(memory, &host, 4, copy, stream)); };
  CHECK_EQUAL(end_after(global, waits), invalidated);
  CHECK_EQUAL(end_after(global, stages), invalidated);
}

TEST(work_before_the_capture_cannot_be_waited_for) {
  cudaEvent_t event = make_event();
  CUDA(cudaEventRecord(event, nullptr));
  const auto wait = [&](cudaStream_t stream) {
    CHECK_EQUAL(cudaStreamWaitEvent(stream, event, 0), cudaErrorStreamCaptureIsolation);
  };
  CHECK_EQUAL(end_after(global, wait), cudaErrorStreamCaptureInvalidated);
}

TEST(captured_events_cannot_be_waited_for_by_the_host) {
  cudaEvent_t event = make_event();
  CUDA(end_after(global, [&](cudaStream_t stream) { CUDA(cudaEventRecord(event, stream)); }));
  CHECK_EQUAL(cudaEventSynchronize(event), cudaErrorCapturedEvent);
  CHECK_EQUAL(cudaStreamWaitEvent(nullptr, event, 0), cudaErrorCapturedEvent);
  CUDA(cudaEventRecord(event, nullptr));
  CUDA(cudaEventSynchronize(event));
}

TEST(stream_0_spoils_the_capture_of_a_blocking_stream) {
  cudaStream_t stream;
  CUDA(cudaStreamCreate(&stream));
  CUDA(cudaStreamBeginCapture(stream, relaxed));
  CHECK_EQUAL(submit(nullptr, [] {}), cudaErrorStreamCaptureImplicit);
  cudaGraph_t graph;
  CHECK_EQUAL(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
}

TEST(captures_do_not_merge) {
  cudaStream_t other = make_stream();
  cudaEvent_t event = make_event();
  CUDA(cudaStreamBeginCapture(other, global));
  CUDA(cudaEventRecord(event, other));
  const auto wait = [&](cudaStream_t stream) { CHECK_EQUAL(cudaStreamWaitEvent(stream, event, 0), cudaErrorStreamCaptureMerge); };
  CHECK_EQUAL(end_after(global, wait), cudaErrorStreamCaptureInvalidated);
}

TEST(a_capture_ends_where_and_by_whom_it_was_begun) {
  cudaStream_t stream = make_stream();
  cudaStream_t side = make_stream();
  cudaEvent_t fork = make_event();
  cudaGraph_t graph;
  CUDA(cudaStreamBeginCapture(stream, global));
  cudaError_t error;
  std::thread([&] { error = cudaStreamEndCapture(stream, &graph); }).join();
  CHECK_EQUAL(error, cudaErrorStreamCaptureWrongThread);
  CUDA(cudaEventRecord(fork, stream));
  CUDA(cudaStreamWaitEvent(side, fork, 0));
  CHECK_EQUAL(cudaStreamEndCapture(side, &graph), cudaErrorStreamCaptureUnmatched);
  CHECK_EQUAL(cudaStreamBeginCapture(nullptr, global), cudaErrorStreamCaptureUnsupported);
}

TEST(a_stream_knows_whether_it_is_captured) {
  cudaStreamCaptureStatus status;
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamIsCapturing(stream, &status));
  CHECK_EQUAL(status, cudaStreamCaptureStatusNone);
  CUDA(cudaStreamBeginCapture(stream, relaxed));
  unsigned long long id = 0;
  cudaGraph_t graph = nullptr;
  CUDA(cudaStreamGetCaptureInfo(stream, &status, &id, &graph, nullptr, nullptr, nullptr));
  CHECK_EQUAL(status, cudaStreamCaptureStatusActive);
  CHECK(id != 0 && graph != nullptr);
  cudaStreamSynchronize(stream);
  CUDA(cudaStreamIsCapturing(stream, &status));
  CHECK_EQUAL(status, cudaStreamCaptureStatusInvalidated);
}

TEST(freed_memory_is_found_at_replay) {
  int* memory = make_ints(1, 0);
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamBeginCapture(stream, global));
  CUDA(cudaMemsetAsync(memory, 0, 4, stream));
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = instantiate(graph);
  CUDA(cudaFree(memory));
  CUDA(cudaGraphLaunch(executable, stream));
  CHECK_EQUAL(cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
}

TEST(graphs_keep_user_objects) {
  int destroyed = 0;
  cudaUserObject_t object;
  const auto destroy = [](void* count) { ++*static_cast<int*>(count); };
  CUDA(cudaUserObjectCreate(&object, &destroyed, destroy, 2, cudaUserObjectNoDestructorSync));
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamBeginCapture(stream, global));
  cudaStreamCaptureStatus status;
  cudaGraph_t graph;
  CUDA(cudaStreamGetCaptureInfo(stream, &status, nullptr, &graph, nullptr, nullptr, nullptr));
  CUDA(cudaGraphRetainUserObject(graph, object, 1, cudaGraphUserObjectMove));
  CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = instantiate(graph);
  CUDA(cudaUserObjectRelease(object, 1));
  CHECK_EQUAL(cudaUserObjectRelease(object, 1), cudaErrorInvalidValue);
  CUDA(cudaGraphDestroy(graph));
  CHECK_EQUAL(destroyed, 0);
  CUDA(cudaGraphExecDestroy(executable));
  CHECK_EQUAL(destroyed, 1);
}
