// Devices: two, each with memory and streams of its own.
#include <cstdlib>
#include <cstring>
#include <thread>

#include "cuda.h"

TEST(there_are_two_devices) {
  int count;
  CUDA(cudaGetDeviceCount(&count));
  CHECK_EQUAL(count, 2);
  CHECK_EQUAL(cudaSetDevice(2), cudaErrorInvalidDevice);
}

TEST(each_thread_has_a_current_device) {
  CUDA(cudaSetDevice(1));
  int other = -1;
  std::thread([&] { cudaGetDevice(&other); }).join();
  CHECK_EQUAL(other, 0);
  int own;
  CUDA(cudaGetDevice(&own));
  CHECK_EQUAL(own, 1);
}

TEST(devices_do_not_share_memory) {
  int can = 1;
  CUDA(cudaDeviceCanAccessPeer(&can, 0, 1));
  CHECK_EQUAL(can, 0);
  CHECK_EQUAL(cudaDeviceEnablePeerAccess(1, 0), cudaErrorPeerAccessUnsupported);
  int* memory = make_ints(1, 1);
  CHECK(simIsDevice(memory));
  CUDA(cudaSetDevice(1));
  CHECK(!simIsDevice(memory));
  CHECK_EQUAL(cudaMemset(memory, 0, 4), cudaErrorInvalidValue);
}

TEST(a_stream_belongs_to_a_device) {
  cudaStream_t stream = make_stream();
  CUDA(cudaSetDevice(1));
  CHECK_EQUAL(submit(stream, [] {}), cudaErrorInvalidResourceHandle);
  CHECK_EQUAL(cudaEventRecord(make_event(), stream), cudaErrorInvalidResourceHandle);
}

TEST(events_order_two_devices) {
  cudaStream_t first = make_stream();
  cudaEvent_t event = make_event();
  int value = 0;
  submit(first, [&] { value = 1; });
  CUDA(cudaEventRecord(event, first));
  CUDA(cudaSetDevice(1));
  cudaStream_t second = make_stream();
  CUDA(cudaStreamWaitEvent(second, event, 0));
  submit(second, [&] { value = value * 10 + 2; });
  CUDA(cudaStreamSynchronize(second));
  CHECK_EQUAL(value, 12);
}

TEST(an_error_ends_one_device_only) {
  simFail("cudaStreamSynchronize", 1, cudaErrorIllegalAddress);
  CHECK_EQUAL(cudaStreamSynchronize(nullptr), cudaErrorIllegalAddress);
  void* memory;
  CHECK_EQUAL(cudaMalloc(&memory, 4), cudaErrorIllegalAddress);
  CUDA(cudaSetDevice(1));
  CUDA(cudaMalloc(&memory, 4));
}

TEST(the_environment_names_the_architecture) {
  setenv("SIM_SM", "80", 1);   // read when it is needed first
  int major, shared;
  CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
  CUDA(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  CHECK_EQUAL(major, 8);
  CHECK_EQUAL(shared, 163 << 10);
}

DEATH_TEST(an_unknown_architecture_is_refused, "SIM_SM is 75, 80, 90 or 100, not 70") {
  setenv("SIM_SM", "70", 1);
  int major;
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
}

TEST(properties_are_those_of_the_architecture) {
  cudaDeviceProp properties;
  CUDA(cudaGetDeviceProperties(&properties, 0));
  int major, minor, shared;
  CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
  CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0));
  CUDA(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  CHECK_EQUAL(major, properties.major);
  CHECK_EQUAL(minor, properties.minor);
  CHECK_EQUAL(static_cast<std::size_t>(shared), properties.sharedMemPerBlockOptin);
  CHECK(std::strstr(properties.name, "Simulated GPU") != nullptr);
}
