// A kernel made of two functions: `Bind` takes the addresses once and returns `Launch`, which runs images.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "backend/backend.h"

namespace eraserelu {

/// An operand, image by image: that of the whole batch, or of one launch after another.
template <typename T>
class Images {
 public:
  Images() = default;
  Images(T* begin, std::int64_t elements, bool chunk) : begin_(begin), step_(chunk ? 0 : elements) {}

  /// Where the images of the launch that begins with image `first` lie.
  T* from(std::int64_t first) const { return begin_ + first * step_; }

 private:
  T* begin_ = nullptr;
  std::int64_t step_ = 0;
};

/// The addresses of a node's operands, by name.
class Operands {
 public:
  Operands(const OpDesc& desc, const Bindings& bindings) : desc_(desc), bindings_(bindings) {}

  /// nullptr for an operand that was left out.
  template <typename T = float>
  const T* read(std::string_view operand) const {
    return static_cast<const T*>(bindings_.reads[desc_.read_index(operand)]);
  }
  template <typename T = float>
  T* write(std::string_view operand) const {
    return static_cast<T*>(bindings_.writes[desc_.write_index(operand)]);
  }
  /// `elements`: of an image. For operands that the kernel's requirements name in chunkReads and chunkWrites.
  template <typename T = float>
  Images<const T> read_images(std::string_view operand, std::int64_t elements) const {
    return {read<T>(operand), elements, contains(bindings_.chunkReads, desc_.read_index(operand))};
  }
  template <typename T = float>
  Images<T> written_images(std::string_view operand, std::int64_t elements) const {
    return {write<T>(operand), elements, contains(bindings_.chunkWrites, desc_.write_index(operand))};
  }
  template <typename T = float>
  const T* read_at(std::size_t index) const {
    return static_cast<const T*>(bindings_.reads[index]);
  }
  char* scratchpad() const { return static_cast<char*>(bindings_.scratchpad); }
  const StepParams* step() const { return bindings_.step; }

 private:
  static bool contains(const std::vector<int>& operands, std::size_t index) {
    return std::find(operands.begin(), operands.end(), static_cast<int>(index)) != operands.end();
  }

  const OpDesc& desc_;
  const Bindings& bindings_;
};

using Launch = std::function<void(std::int64_t first, std::int64_t count)>;
using Bind = std::function<Launch(const Operands&)>;

class LoopKernel final : public Kernel {
 public:
  LoopKernel(const OpDesc& desc, Requirements requirements, Bind bind)
      : desc_(desc), requirements_(std::move(requirements)), bind_(std::move(bind)) {}

  Requirements requirements() const override { return requirements_; }
  void bind(const Bindings& bindings) override { launch_ = bind_(Operands(desc_, bindings)); }
  void launch(std::int64_t first, std::int64_t count) override { launch_(first, count); }

 private:
  OpDesc desc_;
  Requirements requirements_;
  Bind bind_;
  Launch launch_;
};

inline std::unique_ptr<Kernel> loop_kernel(const OpDesc& desc, Requirements requirements, Bind bind) {
  requirements.engine = "loops";
  return std::make_unique<LoopKernel>(desc, std::move(requirements), std::move(bind));
}

}  // namespace eraserelu
