// Filters between the store's layout and a primitive's.
#pragma once

#include "onednn/convolution_primitives.h"

namespace eraserelu::cpu {

/// Copies a filter from one layout to another.
class FilterReorder {
 public:
  FilterReorder(const OpDesc& desc, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

  bool needed() const { return needed_; }
  void bind(const void* from, void* to);
  void run() { execution_.run(); }

 private:
  bool needed_;
  dnnl::memory::desc from_, to_;
  dnnl::primitive primitive_;
  Execution execution_;
};

/// The filter that forward and backward data read. One that is a parameter lives in the packed copy, in the primitive's
/// layout; another one is brought into that layout at the first launch, in the scratchpad.
class FilterOperand {
 public:
  FilterOperand(const OpDesc& desc, const dnnl::memory::desc& stored, const dnnl::memory::desc& wanted);

  std::size_t packed_bytes() const { return reorder_.needed() && parameter_ ? bytes_ : 0; }
  std::size_t scratch_bytes() const { return reorder_.needed() && !parameter_ ? bytes_ : 0; }
  void bind(const void* stored, void* packed, void* scratch);
  const void* address() const { return address_; }
  void pack();           // for Kernel::pack
  void first_launch();

 private:
  FilterReorder reorder_;
  bool parameter_;
  std::size_t bytes_;
  const void* address_ = nullptr;
};

}  // namespace eraserelu::cpu
