#include "backend/nvidia_library.h"

#include <dlfcn.h>
#include <glob.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <vector>

namespace eraserelu {

namespace {

void add_environment(std::vector<std::string>& folders) {
  const char* path = std::getenv("ERASERELU_CUDA_PATH");
  std::istringstream text(path ? path : "");
  for (std::string folder; std::getline(text, folder, ':');)
    if (!folder.empty()) folders.push_back(folder);
}

/// Where pip puts the libraries of NVIDIA's packages: site-packages/nvidia/cudnn/lib, site-packages/nvidia/cu13/lib.
void add_python_packages(std::vector<std::string>& folders) {
  std::vector<std::string> prefixes;
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const char* prefix = std::getenv(variable)) prefixes.push_back(prefix);
  if (const char* home = std::getenv("HOME")) prefixes.push_back(std::string(home) + "/.local");
  prefixes.insert(prefixes.end(), {"/usr/local", "/usr"});
  for (const std::string& prefix : prefixes) {
    glob_t found{};
    const std::string pattern = prefix + "/lib/python3*/*-packages/nvidia/*/lib";
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) folders.insert(folders.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
  }
}

}  // namespace

std::string folder_of(const void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || !info.dli_fname) return ".";
  const std::string file = info.dli_fname;
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

void* open_nvidia_library(const std::string& soname, const std::string& beside, std::string& problem) {
  std::vector<std::string> folders;
  add_environment(folders);
  folders.push_back(beside);
  add_python_packages(folders);
  std::string looked;
  for (const std::string& folder : folders) {
    looked += folder + ", ";
    const std::string file = folder + "/" + soname;
    if (access(file.c_str(), R_OK) != 0) continue;
    void* library = dlopen(file.c_str(), RTLD_NOW);
    if (!library) problem = file + " cannot be loaded: " + dlerror();
    return library;
  }
  void* library = dlopen(soname.c_str(), RTLD_NOW);
  if (!library)
    problem = soname + " was not found in " + looked + "and on the system's library path. Device 'cuda' needs the NVIDIA driver 580 or newer, the CUDA "
                       "runtime 13 and cuDNN 9. Install the libraries with pip (packages nvidia-cudnn-cu13, nvidia-cuda-runtime, nvidia-cuda-nvrtc, "
                       "nvidia-cublas), or name their folder in the environment variable ERASERELU_CUDA_PATH";
  return library;
}

}  // namespace eraserelu
