// Kernel launches: the checks a driver makes, then the grid as one operation of the stream, which takes as long as SIM_KERNEL_TIME says or longer.
#include <cxxabi.h>
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "device/block.h"
#include "devices.h"
#include "errors.h"
#include "memory.h"
#include "sim.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

constexpr std::size_t sharedWithoutAsking = 48 << 10;

// Dynamic shared memory that cudaFuncSetAttribute allowed, by kernel.
std::map<const void*, std::size_t>& allowedShared = *new std::map<const void*, std::size_t>;

std::string name_of(const void* kernel) {
  Dl_info info{};
  if (dladdr(kernel, &info) == 0) return "kernel";
  char text[32];
  std::snprintf(text, sizeof text, "+0x%tx", static_cast<const char*>(kernel) - static_cast<const char*>(info.dli_fbase));
  if (info.dli_sname == nullptr) return std::string("kernel at ") + info.dli_fname + text;
  char* const demangled = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, nullptr);
  const std::string name = demangled == nullptr ? info.dli_sname : demangled;
  std::free(demangled);
  return "kernel " + name;
}

bool is_valid(const dim3& grid, const dim3& block) {
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  if (threads == 0 || grid.x == 0 || grid.y == 0 || grid.z == 0) return false;
  if (threads > 1024 || block.z > 64) return false;
  return grid.x <= 0x7fffffffU && grid.y <= 65535 && grid.z <= 65535;
}

void run(const SimLaunch& launch) {
  for (const void* each : launch.pointers)
    if (each != nullptr && !is_accessible(opened_device(), each, 1))
      throw Fault{cudaErrorIllegalAddress, "an argument is " + describe(each)};
  static const char* const least = std::getenv("SIM_KERNEL_TIME");   // milliseconds
  if (least != nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(std::atol(least)));
  const std::string complaint = simulated_gpu::run_grid(launch.grid, launch.block, launch.shared, launch.thread);
  if (!complaint.empty()) throw Fault{cudaErrorLaunchFailure, complaint};
}

}  // namespace

cudaError_t simLaunch(const SimLaunch& launch) {
  return call("cudaLaunchKernelExC", [&] {
    if (!is_valid(launch.grid, launch.block)) return cudaErrorInvalidConfiguration;
    const auto allowed = allowedShared.find(launch.kernel);
    if (launch.shared > (allowed == allowedShared.end() ? sharedWithoutAsking : allowed->second)) return cudaErrorInvalidValue;
    return enqueue(launch.stream, name_of(launch.kernel), [launch] { run(launch); });
  });
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  return call(__func__, [&] {
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaErrorNotSupported;
    if (kernel == nullptr || value < 0 || value > shared_memory_limit()) return cudaErrorInvalidValue;
    allowedShared[kernel] = static_cast<std::size_t>(value);
    return cudaSuccess;
  });
}
