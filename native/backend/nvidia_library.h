// Finding NVIDIA's shared libraries (CUDA runtime, cuDNN) at run time.
#pragma once

#include <string>

namespace eraserelu {

/// The folder of the shared library that holds `address`.
std::string folder_of(const void* address);

/// Opens a library by its soname: from the folders of the environment variable ERASERELU_CUDA_PATH (separated by ':'), from `beside`, from
/// Python's NVIDIA packages, or from where the system looks. nullptr: none can be opened; `problem` then says why.
void* open_nvidia_library(const std::string& soname, const std::string& beside, std::string& problem);

}  // namespace eraserelu
