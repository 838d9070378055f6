// Launches: every thread of every block runs once, arguments and limits are checked.
#include "kernels.h"

using eraserelu::launch;

namespace {

__global__ void count_visits(int* visits) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  ++visits[block * blockDim.x * blockDim.y * blockDim.z + thread];
}

__global__ void write_at(int* values, int index) { values[index] = 1; }

__global__ void ignore(const int*) {}

__global__ void load_vector(const float* values, float* sum) {
  const float4 vector = *reinterpret_cast<const float4*>(values);
  *sum = vector.x + vector.y + vector.z + vector.w;
}

struct Pair {
  int* first;
  int* second;
  template <typename Visit>
  void each_pointer(Visit visit) const {
    visit(first);
    visit(second);
  }
};
__global__ void add_pair(Pair pair) { *pair.first += *pair.second; }

__global__ void use_dynamic_shared() {
  DYN_SHARED(int, values);
  values[0] = 1;
}

cudaError_t launch_with_shared(std::size_t bytes) { return launch(use_dynamic_shared, dim3(1), dim3(1), bytes, nullptr); }

}  // namespace

TEST(every_thread_runs_once) {
  const dim3 grid(3, 2, 4);
  const dim3 block(5, 4, 3);
  int* visits = make_ints(24 * 60, 0);
  CUDA(launch(count_visits, grid, block, 0, nullptr, visits));
  for (int i = 0; i < 24 * 60; ++i) CHECK_EQUAL(read_int(visits + i), 1);
}

TEST(wrong_shapes_of_a_launch_are_refused) {
  int* visits = make_ints(1, 0);
  CHECK_EQUAL(launch(count_visits, dim3(0), dim3(1), 0, nullptr, visits), cudaErrorInvalidConfiguration);
  CHECK_EQUAL(launch(count_visits, dim3(1), dim3(1025), 0, nullptr, visits), cudaErrorInvalidConfiguration);
  CHECK_EQUAL(launch(count_visits, dim3(1), dim3(1, 1, 65), 0, nullptr, visits), cudaErrorInvalidConfiguration);
  CHECK_EQUAL(launch(count_visits, dim3(1, 65536), dim3(1), 0, nullptr, visits), cudaErrorInvalidConfiguration);
}

TEST(much_shared_memory_is_refused_unless_asked_for) {
  CUDA(launch_with_shared(48 << 10));
  CHECK_EQUAL(launch_with_shared((48 << 10) + 1), cudaErrorInvalidValue);
  const auto* kernel = reinterpret_cast<const void*>(use_dynamic_shared);
  CHECK_EQUAL(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20), cudaErrorInvalidValue);
  CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10));
  CUDA(launch_with_shared(64 << 10));
  CHECK_EQUAL(launch_with_shared((64 << 10) + 1), cudaErrorInvalidValue);
  CUDA(cudaDeviceSynchronize());
}

TEST(a_host_pointer_as_argument_is_found) {
  int host = 0;
  CUDA(launch(write_at, dim3(1), dim3(1), 0, nullptr, &host, 0));
  check_fault("which is not memory of a device");
  CHECK_EQUAL(host, 0);
}

TEST(a_freed_pointer_as_argument_is_found) {
  int* memory = make_ints(1, 0);
  CUDA(cudaFree(memory));
  CUDA(launch(write_at, dim3(1), dim3(1), 0, nullptr, memory, 0));
  check_fault("freed 4-byte allocation");
}

TEST(a_pointer_of_another_device_as_argument_is_found) {
  int* memory = make_ints(1, 0);
  CUDA(cudaSetDevice(1));
  CUDA(launch(write_at, dim3(1), dim3(1), 0, nullptr, memory, 0));
  check_fault("(device 0)");
}

TEST(pointers_in_a_struct_are_checked) {
  int* memory = make_ints(2, 3);
  CUDA(launch(add_pair, dim3(1), dim3(1), 0, nullptr, Pair{memory, memory + 1}));
  CHECK_EQUAL(read_int(memory), 6);
  int host = 0;
  CUDA(launch(add_pair, dim3(1), dim3(1), 0, nullptr, Pair{memory, &host}));
  check_fault("which is not memory of a device");
}

TEST(an_absent_or_pinned_argument_is_fine) {
  CUDA(launch(write_at, dim3(1), dim3(1), 0, nullptr, make_pinned_int(0), 0));
  CUDA(launch(ignore, dim3(1), dim3(1), 0, nullptr, nullptr));
  CUDA(cudaDeviceSynchronize());
}

DEATH_TEST(a_kernel_writes_behind_its_memory,
           "offset 256 of a 256-byte allocation of device memory (device 0), block (0,0,0) thread (0,0,0)") {
  launch(write_at, dim3(1), dim3(1), 0, nullptr, make_ints(64, 0), 64);
  cudaDeviceSynchronize();
}

TEST(a_kernel_writes_behind_its_memory_within_the_rounding) {
  CUDA(launch(write_at, dim3(1), dim3(1), 0, nullptr, make_ints(3, 0), 3));
  check_fault("wrote outside a 12-byte allocation");
}

DEATH_TEST(a_misaligned_vector_is_loaded, "misaligned address") {
  auto* values = reinterpret_cast<float*>(make_ints(8, 0));
  launch(load_vector, dim3(1), dim3(1), 0, nullptr, values + 1, values);
  cudaDeviceSynchronize();
}

TEST(launches_are_captured_and_replayed) {
  cudaStream_t stream = make_stream();
  int* visits = make_ints(8, 0);
  CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  CUDA(launch(count_visits, dim3(2), dim3(4), 0, stream, visits));
  cudaGraph_t graph;
  CUDA(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable;
  CUDA(cudaGraphInstantiate(&executable, graph, 0));
  for (int i = 0; i < 3; ++i) CUDA(cudaGraphLaunch(executable, stream));
  CUDA(cudaStreamSynchronize(stream));
  CHECK_EQUAL(read_int(visits + 7), 3);
}

TEST(a_launch_can_be_made_to_fail) {
  simFail("cudaLaunchKernelExC", 1, cudaErrorLaunchFailure);
  CHECK_EQUAL(launch_with_shared(16), cudaErrorLaunchFailure);
}
