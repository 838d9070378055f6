// The waist. Above it, plans speak of operations; below it, each backend makes kernels for them.
//
// Invariants (each is tested):
//  - prepare touches no tensor memory; bind comes before the first launch, and again whenever the arena has moved;
//  - launch allocates nothing and looks up nothing;
//  - a kernel writes only its outputs and its scratchpad (and, in pack, its packed copy);
//  - outputs are assigned, never accumulated, except by the operation `sum`;
//  - kernels see one compute stream in program order;
//  - the same bytes in give the same bytes out, for one build, instruction set and thread count;
//  - every exception names the node, the operation and the shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/op_desc.h"
#include "plan/step_params.h"

namespace eraserelu {

/// What a prepared kernel needs from the plan.
struct Requirements {
  std::size_t scratchpad = 0;   // bytes needed during one execution (in a region: from its first chunk to its last)
  std::size_t packed = 0;       // bytes of a private copy of its parameters, kept as long as the plan
  std::vector<std::pair<int, int>> inPlace;   // (read index, write index): this output may take that input's memory
  std::string engine;           // what will run, e.g. "dnnl jit:avx512_core" or "loops"
};

/// Addresses for one kernel. An absent operand is nullptr.
struct Bindings {
  std::vector<void*> reads;
  std::vector<void*> writes;
  void* scratchpad = nullptr;
  void* packed = nullptr;
  const StepParams* step = nullptr;
};

/// A prepared operation.
class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual Requirements requirements() const = 0;

  virtual void bind(const Bindings& bindings) = 0;

  /// Refreshes the packed copy from the parameters. Called before the first launch and whenever the store has changed.
  virtual void pack() {}

  /// Runs images [first, first + count) of the batch. Chunks come in ascending order without gaps. A `reduce` kernel
  /// starts afresh at first == 0 and writes its outputs in the launch that ends the batch. How the batch was cut does not
  /// change a bit of the result; only conv2dBwdFilter may add in another order. `whole` operations always get (0, batch).
  virtual void launch(std::int64_t first, std::int64_t count) = 0;
};

struct DeviceInfo {
  std::string name;           // "cpu"
  std::string library;        // "oneDNN 3.2.0"
  std::string instructions;   // "avx512"
  int threads = 1;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual DeviceInfo info() const = 0;

  virtual void* allocate(std::size_t bytes) = 0;   // 64-byte aligned; throws OutOfMemory with the bytes asked for
  virtual void release(void* memory) = 0;
  virtual void upload(void* device, const void* host, std::size_t bytes) = 0;
  virtual void download(void* host, const void* device, std::size_t bytes) = 0;
  virtual void fill(void* device, int byte, std::size_t bytes) = 0;

  /// Chooses and prepares a kernel. Throws Unsupported when this backend cannot run the operation as described.
  virtual std::unique_ptr<Kernel> prepare(const OpDesc& desc) = 0;

  virtual void synchronize() {}
};

/// The backend of a device name ("cpu", "reference"), made at first use. Throws InvalidArgument for other names.
Backend& backend_named(const std::string& device);
std::vector<std::string> backend_names();

}  // namespace eraserelu
