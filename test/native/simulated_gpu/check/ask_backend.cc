// Prepares operations by the GPU backend's own code for a GPU that need not be there, with a real libcudnn.
//   ask_backend LIBRARIES DEVICE.json <operations    one a line (operation_line.h)
// Prints a line for each operation, with tabs between:
//   engine   what the backend runs: "cudnn eng12_k2=3", "cudnn … + own" where cuDNN does not fuse, "own"; or "none: why"
//   plans    of a cuDNN graph: how many plans the default policy allows, of how many cuDNN offers; "4/36"; else "-"
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "check/operation_line.h"
#include "cuda/convolution_graphs.h"
#include "cuda/engine_choice.h"
#include "cuda/kernels.h"

using namespace eraserelu;
using namespace eraserelu::cuda;

namespace {

struct Plans {
  std::size_t allowed = 0, offered = 0;
};

/// The fewest over the numbers of images of a launch.
Plans plans_of(const ConvolutionGraphs& graphs, DType io) {
  Plans fewest{SIZE_MAX, 0};
  for (const auto& [images, graph] : graphs.graphs()) {
    Plans plans{0, graph.candidates()};
    for (std::size_t i = 0; i < plans.offered; ++i)
      if (objection(graph.candidate(i), Policy{}, io).empty()) ++plans.allowed;
    if (plans.allowed < fewest.allowed) fewest = plans;
  }
  return fewest;
}

/// The graphs that the backend takes, made once: a question to cuDNN costs more than all the rest.
std::string answer_of_convolution(const OpDesc& desc, const Device& device) {
  const ConvolutionForm form(desc);
  const ConvolutionGraphs graphs(form, device, Policy{});
  const Plans plans = plans_of(graphs, desc.reads[0].dtype);
  const bool alone = form.fusible() && !graphs.fused();
  return graphs.requirements().engine + (alone ? " + own" : "") + "\t" + std::to_string(plans.allowed) + "/" + std::to_string(plans.offered);
}

std::string answer(const OpDesc& desc, Device& device) {
  try {
    if (desc.is("conv2d") || desc.is("conv2dBwdData") || desc.is("conv2dBwdFilter")) return answer_of_convolution(desc, device);
    return prepare_kernel(desc, device, Policy{})->requirements().engine + "\t-";
  } catch (const Error& error) {
    return std::string("none: ") + error.what() + "\t-";
  }
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 3) throw std::runtime_error("usage: ask_backend LIBRARIES DEVICE.json <operations");
  const std::string problem = open_cudnn(arguments[1]);
  if (!problem.empty()) throw std::runtime_error(problem);
  std::ifstream file(arguments[2]);
  Device device;
  device.described.assign(std::istreambuf_iterator<char>(file), {});
  if (device.described.empty()) throw std::runtime_error(std::string("cannot read ") + arguments[2]);
  device.multiprocessors = 108;   // changes grids, no engine
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(operation_of(line), device) << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cerr << "ask_backend: " << error.what() << '\n';
  return 1;
}
