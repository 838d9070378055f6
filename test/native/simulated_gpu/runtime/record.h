// A record of the calls and of the work of the streams, for tests that ask (simCalls, simWork).
#pragma once

#include <string>

namespace simulated_cuda {

void record_call(const char* name);
void record_work(const std::string& name);

}  // namespace simulated_cuda
