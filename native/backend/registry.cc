// The backends of this build by device name, each made at first use and kept until the process ends.
#include <mutex>

#include "backend/backend.h"
#include "base/error.h"
#include "onednn/onednn_backend.h"
#include "reference/reference_backend.h"

namespace eraserelu {

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<Backend> (*make)();
  Backend* backend;   // never deleted: plans of other threads may still use it while the process exits
};

std::mutex mutex;
Entry entries[] = {{"cpu", make_onednn_backend, nullptr}, {"reference", make_reference_backend, nullptr}};

}  // namespace

Backend& backend_named(const std::string& device) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string known;
  for (Entry& entry : entries) {
    if (device == entry.name) {
      if (!entry.backend) entry.backend = entry.make().release();
      return *entry.backend;
    }
    known += (known.empty() ? "'" : "', '") + std::string(entry.name);
  }
  fail(ErrorCode::InvalidArgument, "unknown device '", device, "': use one of ", known, "'");
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace eraserelu
