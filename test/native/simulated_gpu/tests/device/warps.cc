// Warp primitives.
#include "kernels.h"

using eraserelu::launch;

namespace {

__global__ void shuffles(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  int sum = lane;
  for (int bits = 16; bits > 0; bits /= 2) sum += __shfl_xor_sync(fullMask, sum, bits);
  int* const own = out + threadIdx.x * 6;
  own[0] = sum;
  own[1] = __shfl_sync(fullMask, lane, 3);
  own[2] = __shfl_down_sync(fullMask, lane, 2);
  own[3] = __shfl_up_sync(fullMask, lane, 2);
  own[4] = __shfl_sync(fullMask, lane, 1, 8);
  own[5] = static_cast<int>(__ballot_sync(fullMask, lane % 2 == 0)) + __any_sync(fullMask, lane == 40);
}

__global__ void half_warps(int* out) {
  const unsigned mask = threadIdx.x < 16 ? 0xFFFFU : 0xFFFF0000U;
  double value = threadIdx.x;
  for (int bits = 8; bits > 0; bits /= 2) value += __shfl_xor_sync(mask, value, bits);
  out[threadIdx.x] = static_cast<int>(value);
}

__global__ void lanes_returned(int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_xor_sync(fullMask, 1, 16);
}

__global__ void lanes_returned_but_are_not_read(int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_sync(fullMask, static_cast<int>(threadIdx.x), 5) + static_cast<int>(__ballot_sync(fullMask, true));
}

__global__ void reads_outside_the_mask(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_down_sync(0xFFFFU, 1, 8);
}

__global__ void not_in_its_own_mask(int* out) { out[threadIdx.x] = __shfl_xor_sync(0xFFFFU, 1, 1); }

__global__ void different_masks(int* out) { out[threadIdx.x] = __shfl_sync(threadIdx.x < 16 ? fullMask : 0xFFFF0001U, 1, 0); }

__global__ void different_shuffles(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(fullMask, 1, 0);
  else out[threadIdx.x] = __shfl_sync(fullMask, 2, 0);
}

__global__ void waits_for_lanes_at_a_barrier(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(fullMask, 1, 0);
  __syncthreads();
}

template <typename Kernel>
int* run(Kernel kernel, unsigned block) {
  int* out = make_ints(512, -1);
  CUDA(launch(kernel, dim3(1), dim3(block), 0, nullptr, out));
  return out;
}

template <typename Kernel>
void check_found(Kernel kernel, const char* words) {
  run(kernel, 32);
  check_fault(words);
}

}  // namespace

TEST(shuffles_and_votes_work) {
  int* out = run(shuffles, 64);
  for (int thread = 0; thread < 64; ++thread) {
    const int lane = thread % 32;
    CHECK_EQUAL(read_int(out + thread * 6), 496);
    CHECK_EQUAL(read_int(out + thread * 6 + 1), 3);
    CHECK_EQUAL(read_int(out + thread * 6 + 2), lane < 30 ? lane + 2 : lane);
    CHECK_EQUAL(read_int(out + thread * 6 + 3), lane >= 2 ? lane - 2 : lane);
    CHECK_EQUAL(read_int(out + thread * 6 + 4), lane / 8 * 8 + 1);
    CHECK_EQUAL(read_int(out + thread * 6 + 5), 0x55555555);
  }
}

TEST(halves_of_a_warp_meet_by_themselves) {
  int* out = run(half_warps, 32);
  CHECK_EQUAL(read_int(out + 15), 120);
  CHECK_EQUAL(read_int(out + 16), 376);
}

TEST(lanes_that_returned_are_not_waited_for) { CHECK_EQUAL(read_int(run(lanes_returned_but_are_not_read, 32) + 3), 5 + 0xFFFF); }
TEST(reading_a_lane_that_returned_is_found) { check_found(lanes_returned, "which has left or is not in the mask"); }
TEST(reading_outside_the_mask_is_found) { check_found(reads_outside_the_mask, "which has left or is not in the mask"); }
TEST(a_lane_outside_its_own_mask_is_found) { check_found(not_in_its_own_mask, "the lane is not in its own mask"); }
TEST(different_masks_are_found) { check_found(different_masks, "different masks"); }
TEST(different_shuffles_that_meet_are_found) { check_found(different_shuffles, " meets warps.cc:"); }
TEST(waiting_for_lanes_at_a_barrier_is_found) { check_found(waits_for_lanes_at_a_barrier, "warps.cc:"); }
