// What is still alive, on request or (SIM_LEAKS=1) when the process ends.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "errors.h"
#include "events.h"
#include "graphs.h"
#include "memory.h"
#include "sim.h"
#include "streams.h"

using namespace simulated_cuda;

namespace {

void count(std::string& report, std::size_t number, const char* what) {
  if (number == 0) return;
  report += (report.empty() ? "alive: " : ", ") + std::to_string(number) + " " + what;
}

std::string live_objects() {
  std::size_t device = 0, pinned = 0, streams = 0;
  for (const Allocation* each : live_allocations()) (each->kind == Kind::device ? device : pinned) += each->size;
  for (const auto& each : all_streams()) streams += each->legacy ? 0 : 1;
  std::string report;
  count(report, device, "bytes of device memory");
  count(report, pinned, "bytes of pinned memory");
  count(report, streams, "streams");
  count(report, live_events(), "events");
  count(report, live_graphs(), "graphs");
  count(report, live_executables(), "instantiated graphs");
  return report;
}

struct AtExit {
  ~AtExit() {
    const char* const asked = std::getenv("SIM_LEAKS");
    const std::string report = asked == nullptr ? "" : live_objects();
    if (!report.empty()) std::fprintf(stderr, "simulated GPU: %s\n", report.c_str());
  }
} atExit;

}  // namespace

const char* simLeaks() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  static std::string report;
  report = live_objects();
  return report.c_str();
}
