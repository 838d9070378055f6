// The oneDNN primitives of one convolution kernel: one for the images of a launch, one for what is left at the end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "onednn/library.h"

namespace eraserelu::cpu {

using Arguments = std::unordered_map<int, dnnl::memory>;

inline dnnl::memory memory_of(const dnnl::memory::desc& desc, const void* address) {
  return dnnl::memory(desc, library_engine(), const_cast<void*>(address));
}

/// A primitive with its memory objects, made at bind; before a run the addresses move to the images it is about.
class Execution {
 public:
  Execution() = default;
  Execution(dnnl::primitive primitive, Arguments arguments)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)) {}

  void at(int argument, const void* address) { arguments_.at(argument).set_data_handle(const_cast<void*>(address)); }
  void run() { primitive_.execute(library_stream(), arguments_); }

 private:
  dnnl::primitive primitive_;
  Arguments arguments_;
};

template <typename Primitive>
class ConvolutionPrimitives {
 public:
  using Desc = typename Primitive::primitive_desc;

  /// make(images, filter) prepares for a number of images. The first one chooses the filter's layout (filter_of(desc)); the
  /// other takes it over, so that they share one packed copy or one sum.
  template <typename Make, typename FilterOf>
  ConvolutionPrimitives(std::int64_t batch, std::int64_t images, dnnl::memory::desc filter, const Make& make,
                        const FilterOf& filter_of)
      : images_(images) {
    for (std::int64_t size : {images, batch % images}) {
      if (size == 0) continue;
      const Desc desc = make(size, filter);
      filter = filter_of(desc);
      scratchpad_ = std::max(scratchpad_, desc.scratchpad_desc().get_size());
      const std::string implementation = desc.impl_info_str();
      if (engine_.find(implementation) == std::string::npos) engine_ += (engine_.empty() ? "dnnl " : " + ") + implementation;
      descs_.emplace(size, desc);
    }
    filter_ = filter;
  }

  const dnnl::memory::desc& filter() const { return filter_; }
  std::size_t scratchpad() const { return scratchpad_; }
  const std::string& engine() const { return engine_; }   // "dnnl brgconv:avx512_core"

  /// arguments_of(desc) gives the memory objects of one primitive, at the addresses of the first image.
  template <typename ArgumentsOf>
  void bind(void* scratchpad, const ArgumentsOf& arguments_of) {
    for (const auto& [size, desc] : descs_) {
      Arguments arguments = arguments_of(desc);
      arguments.emplace(DNNL_ARG_SCRATCHPAD, memory_of(desc.scratchpad_desc(), scratchpad));
      executions_[size] = Execution(Primitive(desc), std::move(arguments));
    }
  }

  /// Calls body(execution, first, count) for the images of a launch, cut into what the primitives are made for.
  template <typename Body>
  void each(std::int64_t first, std::int64_t count, const Body& body) {
    for (const std::int64_t end = first + count; first < end; first += images_) {
      const std::int64_t size = std::min(images_, end - first);
      auto found = executions_.find(size);
      check(found != executions_.end(), "a convolution prepared for ", images_, " images was launched with ", size);
      body(found->second, first, size);
    }
  }

 private:
  std::int64_t images_;
  dnnl::memory::desc filter_;
  std::size_t scratchpad_ = 0;
  std::string engine_;
  std::map<std::int64_t, Desc> descs_;
  std::map<std::int64_t, Execution> executions_;
};

inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace eraserelu::cpu
