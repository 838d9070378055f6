// Asks one libcudnn about every form, for one device that need not be there; prints a line for each.
//   ask LIBRARY DEVICE.json keys     the stand-in: the form's key in the support table, without the architecture
//   ask LIBRARY DEVICE.json plans    the real library: by how many engine configurations the form is supported
#include <dlfcn.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "check/forms.h"

namespace {

const char* name_of(frontend::Type type) {
  return type == frontend::Type::f32 ? "f32" : type == frontend::Type::bf16 ? "bf16" : "f16";
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// deviceVer is 100 * major + 10 * minor.
int architecture_of(const std::string& device) { return std::stoi(device.substr(device.find("\"deviceVer\":") + 12)) / 10; }

}  // namespace

int main(int count, char** arguments) try {
  if (count != 4) throw std::runtime_error("usage: ask LIBRARY DEVICE.json keys|plans");
  frontend::open_library(arguments[1]);
  const std::string device = read(arguments[2]);
  const int architecture = architecture_of(device);
  for (const frontend::Form& form : frontend::forms()) {
    frontend::Graph graph(form.io);
    form.fill(graph);
    std::cout << name_of(form.io) << ' ' << form.name << '\t';
    if (arguments[3] == std::string("plans")) {
      std::cout << graph.supported_plans(device, architecture) << '\n';
      continue;
    }
    graph.lower(device, architecture);
    static void* const library = dlopen(arguments[1], RTLD_NOW);
    std::cout << "sm" << architecture << ' ' << reinterpret_cast<const char* (*)()>(dlsym(library, "simCudnnLastKey"))() << '\n';
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "ask: " << error.what() << '\n';
  return 1;
}
