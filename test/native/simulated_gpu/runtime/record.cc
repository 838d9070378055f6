// Kept from the first question on: who never asks pays nothing.
#include "record.h"

#include "errors.h"
#include "sim.h"

namespace simulated_cuda {
namespace {

struct Record {
  bool wanted = false;
  std::string now;
  std::string answer;

  void add(const std::string& name) {
    if (wanted) now += name + "\n";
  }
  const char* take() {
    wanted = true;
    answer.swap(now);
    now.clear();
    return answer.c_str();
  }
};

// Never destroyed: other threads may still be at work when the process ends.
Record& callRecord = *new Record;
Record& workRecord = *new Record;

}  // namespace

void record_call(const char* name) { callRecord.add(name); }
void record_work(const std::string& name) { workRecord.add(name); }

}  // namespace simulated_cuda

using namespace simulated_cuda;

const char* simCalls() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  return callRecord.take();
}

const char* simWork() {
  const std::lock_guard<std::recursive_mutex> guard(runtime_lock());
  return workRecord.take();
}
