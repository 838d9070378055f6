// What the kernels of the reference backend share: operands found by name when the kernel is made, addresses set by bind.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/reals.h"

namespace eraserelu::reference {

class ReferenceKernel;

/// An operand of a kernel, a member of it. Its address is null when the operand is absent.
class Operand {
 public:
  const Shape& shape() const { return tensor_.shape; }
  std::int64_t dim(std::size_t axis) const { return tensor_.shape[axis]; }
  std::int64_t channels() const { return tensor_.shape.back(); }
  std::int64_t elements() const { return tensor_.elements(); }
  std::int64_t image_elements() const { return elements() / dim(0); }
  DType dtype() const { return tensor_.dtype; }
  /// Where in memory an element is, counted in elements from the address.
  std::int64_t position(std::int64_t element) const { return tensor_.position(element); }

 protected:
  Operand(ReferenceKernel* kernel, bool written, std::size_t index, const TensorDesc& tensor);
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  void* address_ = nullptr;

 private:
  friend class ReferenceKernel;
  bool written_;
  std::size_t index_;
  TensorDesc tensor_;
};

/// Reads in the order of the vocabulary; converts to a pointer: `x_[i]`.
template <typename T>
class Read : public Operand {
 public:
  Read(ReferenceKernel* kernel, const char* name);
  operator const T*() const { return static_cast<const T*>(address_); }
};

template <typename T>
class Write : public Operand {
 public:
  Write(ReferenceKernel* kernel, const char* name);
  operator T*() const { return static_cast<T*>(address_); }
};

/// An operand of a type that the operation does not fix: f32, bf16 or f16.
struct AnyFloat {};

template <>
class Read<AnyFloat> : public Operand {
 public:
  Read(ReferenceKernel* kernel, const char* name);
  /// One of several under a name that ends with '*'.
  Read(ReferenceKernel* kernel, std::size_t index);
  explicit operator bool() const { return address_ != nullptr; }
  operator Reals() const { return {address_, dtype()}; }
  Reals operator+(std::int64_t elements) const { return Reals(*this) + elements; }
  double operator[](std::int64_t i) const { return Reals(*this)[position(i)]; }
};

template <>
class Write<AnyFloat> : public Operand {
 public:
  Write(ReferenceKernel* kernel, const char* name);
  explicit operator bool() const { return address_ != nullptr; }
  RealElement operator[](std::int64_t i) const { return {Reals(address_, dtype()), position(i)}; }
};

class ReferenceKernel : public Kernel {
 public:
  explicit ReferenceKernel(const OpDesc& desc) : desc_(desc) {}

  Requirements requirements() const override {
    Requirements needs;
    needs.scratchpad = scratchDoubles_ * sizeof(double);
    needs.engine = "loops";
    return needs;
  }

  void bind(const Bindings& bindings) override {
    for (Operand* operand : operands_)
      operand->address_ = (operand->written_ ? bindings.writes : bindings.reads)[operand->index_];
    scratch_ = static_cast<double*>(bindings.scratchpad);
    step_ = bindings.step;
  }

 protected:
  /// The constructor of a kernel says how many doubles of scratchpad it needs.
  void use_scratch(std::int64_t doubles) { scratchDoubles_ = static_cast<std::size_t>(doubles); }

  const Attributes& attributes() const { return desc_.attributes; }

  const OpDesc desc_;
  double* scratch_ = nullptr;
  const StepParams* step_ = nullptr;

 private:
  friend class Operand;
  template <typename T>
  friend class Read;
  template <typename T>
  friend class Write;

  std::size_t scratchDoubles_ = 0;
  std::vector<Operand*> operands_;
};

inline Operand::Operand(ReferenceKernel* kernel, bool written, std::size_t index, const TensorDesc& tensor)
    : written_(written), index_(index), tensor_(tensor) {
  kernel->operands_.push_back(this);
}

template <typename T>
Read<T>::Read(ReferenceKernel* kernel, const char* name)
    : Operand(kernel, false, kernel->desc_.read_index(name), kernel->desc_.read(name)) {}

template <typename T>
Write<T>::Write(ReferenceKernel* kernel, const char* name)
    : Operand(kernel, true, kernel->desc_.write_index(name), kernel->desc_.write(name)) {}

inline Read<AnyFloat>::Read(ReferenceKernel* kernel, const char* name)
    : Operand(kernel, false, kernel->desc_.read_index(name), kernel->desc_.read(name)) {}

inline Read<AnyFloat>::Read(ReferenceKernel* kernel, std::size_t index)
    : Operand(kernel, false, index, kernel->desc_.reads[index]) {}

inline Write<AnyFloat>::Write(ReferenceKernel* kernel, const char* name)
    : Operand(kernel, true, kernel->desc_.write_index(name), kernel->desc_.write(name)) {}

/// One row of the backend's table: an operation's name and what makes its kernel.
struct KernelRow {
  const char* name;
  std::unique_ptr<Kernel> (*make)(const OpDesc&);
};

template <typename KernelType>
std::unique_ptr<Kernel> make(const OpDesc& desc) {
  return std::make_unique<KernelType>(desc);
}

/// One table a file.
extern const std::vector<KernelRow> kConvolutionKernels;
extern const std::vector<KernelRow> kBatchNormKernels;
extern const std::vector<KernelRow> kPoolingKernels;
extern const std::vector<KernelRow> kElementwiseKernels;
extern const std::vector<KernelRow> kShapeKernels;
extern const std::vector<KernelRow> kLossKernels;
extern const std::vector<KernelRow> kImageKernels;
extern const std::vector<KernelRow> kUpdateKernels;

}  // namespace eraserelu::reference
