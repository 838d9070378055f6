#include "backend/cuda_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "backend/cuda_interface.h"
#include "backend/nvidia_library.h"
#include "base/error.h"

namespace eraserelu {

namespace {

/// The library once it is loaded, or why it is not. Never closed: its objects may outlive every other.
class CudaLibrary {
 public:
  CudaLibrary() {
    const char* named = std::getenv("ERASERELU_CUDA_LIBRARY");
    const std::string beside = folder_of(reinterpret_cast<const void*>(&cuda_devices)) + "/eraserelu_cuda.so";
    const std::filesystem::path file = std::filesystem::absolute(named ? named : beside);
    if (access(file.c_str(), R_OK) != 0) {
      problem_ = "the GPU backend is not built: " + file.string() + " does not exist. In a clone run 'npm run build:cuda'.";
      return;
    }
    if (!open_nvidia_library("libcudart.so.13", file.parent_path(), problem_)) return;
    void* library = dlopen(file.c_str(), RTLD_NOW);
    if (!library) {
      problem_ = file.string() + " cannot be loaded: " + dlerror();
      return;
    }
    auto* open = reinterpret_cast<CudaOpen*>(dlsym(library, "eraserelu_cuda_open"));
    backend_ = reinterpret_cast<CudaBackend*>(dlsym(library, "eraserelu_cuda_backend"));
    if (!open || !backend_) {
      problem_ = file.string() + " is not the GPU backend";
    } else if (const char* reason = open(ERASERELU_WAIST, &devices_)) {
      problem_ = reason;
      devices_ = 0;
    }
  }

  int devices() const { return devices_; }
  const std::string& problem() const { return problem_; }
  Backend* backend(int device) const { return backend_(device); }

 private:
  int devices_ = 0;
  std::string problem_;
  CudaBackend* backend_ = nullptr;
};

const CudaLibrary& library() {
  static const auto& library = *new CudaLibrary();
  return library;
}

}  // namespace

int cuda_devices() { return library().devices(); }

const std::string& cuda_problem() { return library().problem(); }

std::unique_ptr<Backend> open_cuda_backend(int device) {
  if (device >= cuda_devices()) fail(ErrorCode::Unsupported, cuda_problem());
  return std::unique_ptr<Backend>(library().backend(device));
}

}  // namespace eraserelu
