// oneDNN itself: the one engine and stream of this process, and error translation.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_debug.h>

#include "base/error.h"
#include "plan/op_desc.h"

namespace eraserelu::cpu {

dnnl::engine& library_engine();
dnnl::stream& library_stream();

/// Runs make(); a refusal of oneDNN becomes Unsupported with the node, the shapes and the library's status text.
template <typename Make>
auto ask_library(const OpDesc& desc, Make&& make) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    fail(error.status == dnnl_out_of_memory ? ErrorCode::OutOfMemory : ErrorCode::Unsupported, desc.to_string(), ": oneDNN: ",
         error.what(), " (", dnnl_status2str(error.status), ")");
  }
}

}  // namespace eraserelu::cpu
