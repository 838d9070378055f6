// Barriers and shared memory: right programs run in every order, and each way to use them wrongly is found in every order.
#include "kernels.h"

using eraserelu::launch;
using eraserelu::Shared;

namespace {

constexpr int threads = 128;

template <typename T>
__device__ T sum_of(Shared<T> values, int count) {
  T sum = 0;
  for (int i = 0; i < count; ++i) sum += values[i];
  return sum;
}

/// Adds up the squares of the threads' numbers in a tree, then lets every thread look at the sum.
__global__ void tree(int* out) {
  SHARED_ARRAY(int, sums, threads);
  const int self = static_cast<int>(threadIdx.x);
  for (int round = 0; round < 2; ++round) {
    sums[self] = self * self;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
      if (self < half) sums[self] += sums[self + half];
      __syncthreads();
    }
    out[self] = sums[0];
    __syncthreads();
  }
}

__global__ void reversed_through_dynamic(int* out) {
  DYN_SHARED(int, values);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  __syncthreads();
  out[self] = *(values + (threads - 1 - self));
}

__global__ void one_warp(int* out) {
  SHARED_ARRAY(int, values, 32);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  __syncwarp();
  out[self] = sum_of(values, 32);
}

__global__ void threads_return_before_a_barrier(int* out) {
  SHARED_ARRAY(int, value, 1);
  if (threadIdx.x >= 64) return;
  if (threadIdx.x == 0) value[0] = 5;
  __syncthreads();
  out[threadIdx.x] = value[0];
}

__global__ void no_barrier_before_reading(int* out) {
  SHARED_ARRAY(int, values, threads);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  out[self] = values[(self + 1) % threads];
}

__global__ void no_barrier_after_reading(int* out) {
  SHARED_ARRAY(int, values, threads);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  __syncthreads();
  out[self] = values[(self + 1) % threads];
  values[self] = 0;
}

__global__ void all_read_and_one_writes(int* out) {
  SHARED_ARRAY(int, value, 1);
  if (threadIdx.x == 0) value[0] = 1;
  __syncthreads();
  out[threadIdx.x] = value[0];
  if (threadIdx.x == 0) value[0] = 2;
}

__global__ void two_write_one_place(int*) {
  SHARED_ARRAY(int, value, 1);
  value[0] = 1;
}

__global__ void a_warp_barrier_between_warps(int* out) {
  SHARED_ARRAY(int, values, threads);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  __syncwarp();
  out[self] = values[(self + 32) % threads];
}

__global__ void a_shuffle_is_no_barrier(int* out) {
  SHARED_ARRAY(int, values, threads);
  const int self = static_cast<int>(threadIdx.x);
  values[self] = self;
  __shfl_xor_sync(fullMask, self, 1);
  out[self] = values[self ^ 1];
}

__global__ void only_block_0_writes(int* out) {
  SHARED_ARRAY(int, values, threads);
  const int self = static_cast<int>(threadIdx.x);
  if (blockIdx.x == 0) values[self] = 1;
  out[self] = values[self];
}

__global__ void behind_the_end(int*) {
  SHARED_ARRAY(int, values, threads);
  values[static_cast<int>(threadIdx.x) + 1] = 1;
}

__global__ void behind_the_dynamic_end(int*) {
  DYN_SHARED(int, values);
  values[static_cast<int>(threadIdx.x) + 1] = 1;
}

__global__ void dynamic_of_two_sizes(int* out) {
  DYN_SHARED(int, values);
  DYN_SHARED(double, others);
  values[0] = 1;
  out[0] = static_cast<int>(others[0]);
}

__global__ void two_barriers_meet(int*) {
  if (threadIdx.x % 2 == 0) { __syncthreads(); } else { __syncthreads(); }
}

__global__ void a_barrier_waits_for_a_warp(int*) {
  if (threadIdx.x == 0) __syncthreads();
  __syncwarp();
}

template <typename Kernel>
int* run(Kernel kernel, unsigned grid = 1, unsigned block = threads) {
  int* out = make_ints(threads, -1);
  CUDA(launch(kernel, dim3(grid), dim3(block), threads * sizeof(int), nullptr, out));
  return out;
}

template <typename Kernel>
void check_found(Kernel kernel, const char* words, unsigned grid = 1) {
  run(kernel, grid);
  check_fault(words);
}

}  // namespace

TEST(barriers_order_shared_memory) {
  int* out = run(tree, 3);
  for (int i = 0; i < threads; ++i) CHECK_EQUAL(read_int(out + i), 690880);
}

TEST(a_grid_runs_after_one_that_was_given_up) {
  check_found(no_barrier_before_reading, "reads values[");
  simForgetErrors();
  CHECK_EQUAL(read_int(run(tree)), 690880);
}

TEST(dynamic_shared_memory_works) {
  int* out = run(reversed_through_dynamic);
  for (int i = 0; i < threads; ++i) CHECK_EQUAL(read_int(out + i), threads - 1 - i);
}

TEST(a_warp_barrier_orders_a_warp) { CHECK_EQUAL(read_int(run(one_warp, 1, 32) + 31), 496); }

TEST(threads_that_returned_hold_no_barrier) {
  int* out = run(threads_return_before_a_barrier);
  CHECK_EQUAL(read_int(out + 63), 5);
  CHECK_EQUAL(read_int(out + 64), -1);
}

TEST(a_missing_barrier_before_reading_is_found) { check_found(no_barrier_before_reading, "reads values["); }
TEST(a_missing_barrier_after_reading_is_found) { check_found(no_barrier_after_reading, "with no barrier between"); }
TEST(a_missing_barrier_after_many_readers_is_found) { check_found(all_read_and_one_writes, "with no barrier between"); }
TEST(two_writers_are_found) { check_found(two_write_one_place, "wrote with no barrier between"); }
TEST(a_warp_barrier_does_not_order_warps) { check_found(a_warp_barrier_between_warps, "reads values["); }
TEST(a_shuffle_does_not_order_shared_memory) { check_found(a_shuffle_is_no_barrier, "wrote with no barrier between"); }
TEST(shared_memory_of_another_block_is_not_there) {
  check_found(only_block_0_writes, "which no thread of the block has written", 2);
}
TEST(an_index_out_of_bounds_is_found) { check_found(behind_the_end, "uses values[128], an array of 128"); }
TEST(a_dynamic_index_out_of_bounds_is_found) { check_found(behind_the_dynamic_end, "uses values[128], an array of 128"); }
TEST(dynamic_memory_has_one_element_size) { check_found(dynamic_of_two_sizes, "with two sizes of elements"); }
TEST(different_barriers_are_found) { check_found(two_barriers_meet, "not all threads reach the same barrier"); }
TEST(a_barrier_that_a_warp_does_not_reach_is_found) { check_found(a_barrier_waits_for_a_warp, "barriers.cc:"); }
