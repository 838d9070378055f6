// Explains a segmentation fault in simulated memory before the process ends of it.
#pragma once

namespace simulated_cuda {

/// Installs the handler, once a process, and a stack for it, once a thread.
void catch_faults();

}  // namespace simulated_cuda
