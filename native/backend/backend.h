// The waist. Above it, plans speak of operations; below it, each backend makes kernels for them.
//
// Invariants (each is tested):
//  - prepare touches no tensor memory; bind comes before the first launch, and again whenever the arena has moved;
//  - launch allocates nothing and looks up nothing;
//  - a kernel writes only its outputs and its scratchpad (and, in pack, its packed copy); the second of a run (prepare_run) also writes
//    the outputs of the first, and need not write one that only an addition reads which is the second;
//  - outputs are assigned, never accumulated, except by the operation `sum`;
//  - kernels see one compute stream in program order; inputs and outputs of a plan may travel beside it (transfers.h), ordered by events that
//    the backend places;
//  - the same bytes in give the same bytes out, for one build, instruction set and thread count;
//  - every exception names the node, the operation and the shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/transfers.h"
#include "plan/op_desc.h"
#include "plan/policy.h"
#include "plan/step_params.h"

namespace eraserelu {

/// What a prepared kernel needs from the plan.
struct Requirements {
  std::size_t scratchpad = 0;   // bytes needed during one execution (in a region: from its first chunk to its last)
  std::size_t packed = 0;       // bytes of a private copy of its parameters, kept as long as the plan
  std::vector<std::pair<int, int>> inPlace;   // (read index, write index): this output may take that input's memory
  std::vector<int> chunkReads, chunkWrites;   // operands, by index, whose memory may hold no more than the images of one launch
  std::string engine;           // what will run, e.g. "dnnl jit:avx512_core" or "loops"
  std::vector<std::string> notes;   // what the plan's owner should know of the choice, a sentence each: an engine that computed wrong
  EngineChoices choices;        // those made under autotune
  bool inRun = false;           // belongs to the operation before it: nothing may take memory of either between them
};

/// Addresses for one kernel. An absent operand is nullptr.
struct Bindings {
  std::vector<void*> reads;
  std::vector<void*> writes;
  std::vector<int> chunkReads, chunkWrites;   // of those that the kernel named: operands whose images begin at their address in each launch
  void* scratchpad = nullptr;
  void* packed = nullptr;
  const StepParams* step = nullptr;   // memory of the device
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
  /// starts afresh at first == 0, and its outputs are complete after the launch that ends the batch. How the batch was cut does not
  /// change a bit of the result; only conv2dBwdFilter may add in another order. `whole` operations always get (0, batch).
  virtual void launch(std::int64_t first, std::int64_t count) = 0;
};

/// Launches that were recorded once and can be repeated as one.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

struct DeviceInfo {
  std::string name;           // "cpu", "cuda:1"
  std::string library;        // "oneDNN 3.2.0", "cuDNN 9.28.1, CUDA 13.0"
  std::string instructions;   // "avx512", "sm_90"
  int threads = 1;            // of a GPU: its multiprocessors
  bool bf16 = true;           // whether it computes in bf16
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual DeviceInfo info() const = 0;

  virtual void* allocate(std::size_t bytes) = 0;   // 64-byte aligned; throws OutOfMemory with the bytes asked for
  virtual void release(void* memory) noexcept = 0;   // of allocate, or nullptr
  /// Bytes that are free for allocate; kUnknown where nobody can tell.
  virtual std::size_t free_memory() { return kUnknown; }
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);
  /// In the order of the launches. `host` may be changed as soon as upload returns; download returns when the bytes are there.
  virtual void upload(void* device, const void* host, std::size_t bytes) = 0;
  virtual void download(void* host, const void* device, std::size_t bytes) = 0;
  virtual void fill(void* device, int byte, std::size_t bytes) = 0;

  /// Whether the device has memory of its own: then inputs and outputs of a plan go through inlets, which take as much of it as their
  /// extents, and outlets, so that transfers and launches overlap. Where there are none, upload and download are as good.
  virtual bool has_transfers() const { return false; }
  virtual std::unique_ptr<Inlet> inlet(const std::vector<Extent>&) { return nullptr; }
  virtual std::unique_ptr<Outlet> outlet(std::size_t) { return nullptr; }   // for blocks of at most so many bytes

  /// Chooses and prepares a kernel. Throws Unsupported when this backend cannot run the operation as described, or not under this policy.
  virtual std::unique_ptr<Kernel> prepare(const OpDesc& desc, const Policy& policy) = 0;

  /// Kernels for two consecutive operations, where the operands that have the same name in both are the same tensors, and one kernel
  /// does the work of both. An addition is only the second where its `b` is an output of the first that nothing else reads. They are launched one after the other, over the whole batch. Empty: each is to be prepared on its own.
  virtual std::vector<std::unique_ptr<Kernel>> prepare_run(const OpDesc&, const OpDesc&, const Policy&) { return {}; }

  /// Waits for everything launched so far; throws what went wrong in it.
  virtual void synchronize() {}

  /// Records the launches that `launches` makes, without running them. nullptr: this backend runs launches only one by one.
  virtual std::unique_ptr<Recording> record(const std::function<void()>&) { return nullptr; }
};

/// The backend of a device name ("cpu", "reference", "cuda", "cuda:1"), made at first use. Throws InvalidArgument for other names, and
/// Unsupported for a device that does not work here.
Backend& backend_named(const std::string& device);

/// The devices that work here.
std::vector<std::string> backend_names();

/// Why a device of backend_named does not work here; "" when it does.
std::string device_problem(const std::string& device);

}  // namespace eraserelu
