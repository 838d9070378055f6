#include "onednn/convolution_filter.h"

namespace eraserelu::cpu {

FilterReorder::FilterReorder(const OpDesc& desc, const dnnl::memory::desc& from, const dnnl::memory::desc& to)
    : needed_(from != to), from_(from), to_(to) {
  if (!needed_) return;
  primitive_ = ask_library(desc, [&] {
    return dnnl::reorder(dnnl::reorder::primitive_desc(library_engine(), from, library_engine(), to));
  });
}

void FilterReorder::bind(const void* from, void* to) {
  execution_ = Execution(primitive_, {{DNNL_ARG_FROM, memory_of(from_, from)}, {DNNL_ARG_TO, memory_of(to_, to)}});
}

FilterOperand::FilterOperand(const OpDesc& desc, const dnnl::memory::desc& stored, const dnnl::memory::desc& wanted)
    : reorder_(desc, stored, wanted), parameter_(desc.read("w").parameter), bytes_(wanted.get_size()) {}

void FilterOperand::bind(const void* stored, void* packed, void* scratch) {
  address_ = stored;
  if (!reorder_.needed()) return;
  void* target = parameter_ ? packed : scratch;
  reorder_.bind(stored, target);
  address_ = target;
}

void FilterOperand::pack() {
  if (reorder_.needed() && parameter_) reorder_.run();
}

void FilterOperand::first_launch() {
  if (reorder_.needed() && !parameter_) reorder_.run();
}

}  // namespace eraserelu::cpu
