// Streams and events: what is ordered happens in order, and what is not shows in one of the orders.
#include <thread>

#include "cuda.h"
#include "runtime/order.h"

using simulated_cuda::Order;

namespace {

/// b = a in `second`, after a = 7 in `first`.
int copied(bool with_wait) {
  int* a = make_ints(1, 0);
  int* b = make_ints(1, 0);
  cudaStream_t first = make_stream();
  cudaStream_t second = make_stream();
  cudaEvent_t event = make_event();
  submit(first, [=] { *a = 7; });
  CUDA(cudaEventRecord(event, first));
  if (with_wait) CUDA(cudaStreamWaitEvent(second, event, 0));
  submit(second, [=] { *b = *a; });
  CUDA(cudaStreamSynchronize(second));
  return read_int(b);
}

/// b = a in `first`, which the host waits for, then a = 7 in `second`.
int overwritten(bool with_wait) {
  int* a = make_ints(1, 1);
  int* b = make_ints(1, 0);
  cudaStream_t first = make_stream();
  cudaStream_t second = make_stream();
  cudaEvent_t event = make_event();
  submit(first, [=] { *b = *a; });
  CUDA(cudaEventRecord(event, first));
  if (with_wait) CUDA(cudaStreamWaitEvent(second, event, 0));
  submit(second, [=] { *a = 7; });
  CUDA(cudaStreamSynchronize(first));
  return read_int(b);
}

}  // namespace

TEST(nothing_runs_before_somebody_waits) {
  bool ran = false;
  cudaStream_t stream = make_stream();
  submit(stream, [&] { ran = true; });
  CHECK(!ran);
  CUDA(cudaStreamSynchronize(stream));
  CHECK(ran);
}

TEST(a_wait_orders_two_streams) {
  CHECK_EQUAL(copied(true), 7);
  CHECK_EQUAL(overwritten(true), 1);
}

TEST(a_missing_wait_shows) {
  int late_writer = 0;
  int early_writer = 0;
  for (int i = 0; i < 40; ++i) {
    late_writer += copied(false) != 7;
    early_writer += overwritten(false) != 1;
  }
  if (simulated_cuda::order() != Order::backward) CHECK(late_writer > 0);
  if (simulated_cuda::order() != Order::forward) CHECK(early_writer > 0);
}

TEST(stream_0_is_ordered_with_blocking_streams) {
  int* a = make_ints(1, 0);
  cudaStream_t blocking;
  CUDA(cudaStreamCreate(&blocking));
  submit(blocking, [=] { *a = *a * 10 + 1; });
  submit(nullptr, [=] { *a = *a * 10 + 2; });
  submit(blocking, [=] { *a = *a * 10 + 3; });
  CUDA(cudaStreamSynchronize(blocking));
  CHECK_EQUAL(read_int(a), 123);
}

TEST(an_event_is_a_place_in_its_stream) {
  int steps = 0;
  cudaStream_t stream = make_stream();
  cudaEvent_t event = make_event();
  submit(stream, [&] { ++steps; });
  CUDA(cudaEventRecord(event, stream));
  submit(stream, [&] { ++steps; });
  CUDA(cudaEventSynchronize(event));
  CHECK_EQUAL(steps, 1);
}

TEST(queries_say_not_ready_once) {
  cudaStream_t stream = make_stream();
  cudaEvent_t event = make_event();
  CUDA(cudaEventQuery(event));
  submit(stream, [] {});
  CUDA(cudaEventRecord(event, stream));
  CHECK_EQUAL(cudaEventQuery(event), cudaErrorNotReady);
  CUDA(cudaEventQuery(event));
  submit(stream, [] {});
  CHECK_EQUAL(cudaStreamQuery(stream), cudaErrorNotReady);
  CUDA(cudaStreamQuery(stream));
  CUDA(cudaGetLastError());
}

TEST(elapsed_time_is_between_two_records) {
  cudaEvent_t start, end;
  CUDA(cudaEventCreate(&start));
  CUDA(cudaEventCreate(&end));
  float milliseconds = -1;
  CHECK_EQUAL(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  CUDA(cudaEventRecord(start, nullptr));
  CUDA(cudaEventRecord(end, nullptr));
  CHECK_EQUAL(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  CUDA(cudaEventSynchronize(end));
  CUDA(cudaEventElapsedTime(&milliseconds, start, end));
  CHECK(milliseconds >= 0);
  CHECK_EQUAL(cudaEventElapsedTime(&milliseconds, start, make_event()), cudaErrorInvalidResourceHandle);
}

TEST(host_functions_run_in_order_and_may_not_call_cuda) {
  struct Seen {
    int value;
    cudaError_t error;
  } seen{0, cudaSuccess};
  cudaStream_t stream = make_stream();
  submit(stream, [&] { seen.value = 1; });
  const auto function = [](void* data) {
    auto* const seen = static_cast<Seen*>(data);
    seen->value *= 5;
    seen->error = cudaDeviceSynchronize();
  };
  CUDA(cudaLaunchHostFunc(stream, function, &seen));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQUAL(seen.value, 5);
  CHECK_EQUAL(seen.error, cudaErrorNotPermitted);
}

TEST(threads_can_work_at_the_same_time) {
  constexpr int each = 200;
  std::vector<std::thread> threads;
  int* sums = make_ints(4, 0);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([=] {
      cudaStream_t stream = make_stream();
      for (int k = 0; k < each; ++k) {
        submit(stream, [=] { ++sums[i]; });
        if (k % 10 == 0) CUDA(cudaStreamSynchronize(stream));
      }
      CUDA(cudaStreamDestroy(stream));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(read_int(sums + i), each);
}

TEST(a_destroyed_stream_is_no_stream) {
  cudaStream_t stream = make_stream();
  CUDA(cudaStreamDestroy(stream));
  CHECK_EQUAL(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
}
