// Memory: apart from the host's, poisoned, aligned, bounded, counted.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "cuda.h"

TEST(copies_reach_device_memory_and_come_back) { CHECK_EQUAL(read_int(make_ints(3, 42)), 42); }

TEST(fresh_memory_is_poisoned) {
  void* memory;
  CUDA(cudaMalloc(&memory, 4));
  CHECK_EQUAL(read_int(static_cast<int*>(memory)), static_cast<int>(0xCBCBCBCB));
}

TEST(memory_is_aligned_to_256_bytes) {
  for (const std::size_t size : {1u, 255u, 256u, 257u, 5000u}) {
    void* memory;
    CUDA(cudaMalloc(&memory, size));
    CHECK_EQUAL(reinterpret_cast<std::uintptr_t>(memory) % 256, 0u);
  }
}

DEATH_TEST(host_reads_device_memory, "host code touched device memory") {
  volatile int* memory = make_ints(64, 1);
  memory[0] = memory[0] + 1;
}

DEATH_TEST(host_reads_device_memory_in_a_host_function, "host code touched device memory") {
  int* memory = make_ints(64, 1);
  CUDA(cudaLaunchHostFunc(
      nullptr, [](void* data) { *static_cast<volatile int*>(data) = 2; }, memory));
  cudaDeviceSynchronize();
}

DEATH_TEST(device_work_leaves_the_end, "offset 256 of a 256-byte allocation") {
  int* memory = make_ints(64, 1);
  submit(nullptr, [=] { *static_cast<volatile int*>(memory + 64) = 1; });
  cudaDeviceSynchronize();
}

DEATH_TEST(device_work_uses_freed_memory, "freed 256-byte allocation") {
  int* memory = make_ints(64, 1);
  CUDA(cudaFree(memory));
  submit(nullptr, [=] { *static_cast<volatile int*>(memory) = 1; });
  cudaDeviceSynchronize();
}

DEATH_TEST(device_work_uses_memory_of_another_device, "memory (device 1)") {
  CUDA(cudaSetDevice(1));
  int* memory = make_ints(64, 1);
  CUDA(cudaSetDevice(0));
  submit(nullptr, [=] { *static_cast<volatile int*>(memory) = 1; });
  cudaDeviceSynchronize();
}

TEST(a_write_behind_the_end_within_the_rounding_is_found) {
  int* memory = make_ints(3, 1);
  submit(nullptr, [=] { memory[3] = 1; });
  CHECK_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  CHECK(std::strstr(simFault(), "wrote outside a 12-byte allocation") != nullptr);
}

TEST(a_write_before_the_beginning_is_found) {
  int* memory = make_ints(3, 1);
  submit(nullptr, [=] { memory[-1] = 1; });
  CHECK_EQUAL(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
}

TEST(wrong_directions_and_sizes_of_copies_are_refused) {
  int host[4] = {};
  int* memory = make_ints(4, 1);
  CHECK_EQUAL(cudaMemcpy(memory, host, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaMemcpy(host, memory, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaMemcpy(memory, host, 16, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaMemcpy(host, memory, 17, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaMemset(host, 0, 16), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaGetLastError(), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaGetLastError(), cudaSuccess);
}

TEST(pinned_memory_is_read_when_the_copy_runs) {
  int* memory = make_ints(1, 0);
  int* pinned = make_pinned_int(1);
  CUDA(cudaMemcpyAsync(memory, pinned, 4, cudaMemcpyHostToDevice, nullptr));
  *pinned = 2;
  CHECK_EQUAL(read_int(memory), 2);
}

TEST(pageable_memory_is_staged_at_the_call) {
  int* memory = make_ints(1, 0);
  int host = 1;
  CUDA(cudaMemcpyAsync(memory, &host, 4, cudaMemcpyHostToDevice, nullptr));
  host = 2;
  CHECK_EQUAL(read_int(memory), 1);
}

TEST(memory_runs_out) {
  simSetTotalMemory(1 << 20);
  void* memory;
  CUDA(cudaMalloc(&memory, 600 << 10));
  void* more;
  CHECK_EQUAL(cudaMalloc(&more, 600 << 10), cudaErrorMemoryAllocation);
  std::size_t free, total;
  CUDA(cudaMemGetInfo(&free, &total));
  CHECK_EQUAL(total, 1u << 20);
  CHECK_EQUAL(free, 424u << 10);
  CUDA(cudaFree(memory));
  CUDA(cudaMalloc(&more, 600 << 10));
}

TEST(only_what_begins_there_can_be_freed_and_only_once) {
  int* memory = make_ints(4, 1);
  CHECK_EQUAL(cudaFree(memory + 1), cudaErrorInvalidValue);
  CHECK_EQUAL(cudaFreeHost(memory), cudaErrorInvalidValue);
  CUDA(cudaFree(memory));
  CHECK_EQUAL(cudaFree(memory), cudaErrorInvalidValue);
  CUDA(cudaFree(nullptr));
}

TEST(pointers_know_where_they_point) {
  cudaPointerAttributes attributes;
  CUDA(cudaPointerGetAttributes(&attributes, make_ints(4, 1) + 1));
  CHECK_EQUAL(attributes.type, cudaMemoryTypeDevice);
  CUDA(cudaPointerGetAttributes(&attributes, make_pinned_int(1)));
  CHECK_EQUAL(attributes.type, cudaMemoryTypeHost);
  CUDA(cudaPointerGetAttributes(&attributes, &attributes));
  CHECK_EQUAL(attributes.type, cudaMemoryTypeUnregistered);
}

TEST(leaks_are_reported) {
  CHECK_EQUAL(std::string(simLeaks()), "");
  int* memory = make_ints(4, 1);
  cudaStream_t stream = make_stream();
  cudaEvent_t event = make_event();
  CHECK_EQUAL(std::string(simLeaks()), "alive: 16 bytes of device memory, 1 streams, 1 events");
  CUDA(cudaFree(memory));
  CUDA(cudaStreamDestroy(stream));
  CUDA(cudaEventDestroy(event));
  CHECK_EQUAL(std::string(simLeaks()), "");
}

DEATH_TEST(leaks_are_printed_at_the_end, "simulated GPU: alive: 16 bytes of device memory") {
  setenv("SIM_LEAKS", "1", 1);
  make_ints(4, 1);
  std::exit(1);
}

TEST(the_environment_names_the_memory) {
  setenv("SIM_MEMORY", "1000", 1);   // read when it is needed first
  void* memory;
  CHECK_EQUAL(cudaMalloc(&memory, 1001), cudaErrorMemoryAllocation);
  CUDA(cudaMalloc(&memory, 500));
}
