#include "operation.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/error.h"
#include "cuda/kernels/element.h"
#include "reference/reference_backend.h"

namespace {

std::uint32_t random_word() {
  static std::uint32_t state = 1;
  return state = state * 1664525U + 1013904223U;
}

/// Calls body(T()) with the type that holds an element.
template <typename Body>
auto with_element(DType dtype, const Body& body) {
  if (dtype == DType::i32) return body(std::int32_t());
  if (dtype == DType::u8) return body(std::uint8_t());
  return cuda::with_type(dtype, [&](auto type) { return body(typename decltype(type)::type()); });
}

template <typename T>
T stored(double value) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(value);
  else return cuda::from_float<T>(static_cast<float>(value));
}

template <typename T>
double loaded(T value) {
  if constexpr (std::is_integral_v<T>) return value;
  else return cuda::to_float(value);
}

std::vector<std::byte> bytes_of_values(DType dtype, const Values& values) {
  return with_element(dtype, [&](auto zero) {
    std::vector<std::byte> bytes;
    for (const double value : values) {
      const auto element = stored<decltype(zero)>(value);
      const auto* first = reinterpret_cast<const std::byte*>(&element);
      bytes.insert(bytes.end(), first, first + sizeof element);
    }
    return bytes;
  });
}

Values values_of_bytes(DType dtype, const std::vector<std::byte>& bytes) {
  return with_element(dtype, [&](auto element) {
    Values values;
    for (std::size_t i = 0; i < bytes.size(); i += sizeof element) {
      std::memcpy(&element, &bytes[i], sizeof element);
      values.push_back(loaded(element));
    }
    return values;
  });
}

TensorDesc desc_of(const Tensor& tensor, bool wide) {
  TensorDesc desc;
  desc.dtype = wide && (tensor.dtype == DType::bf16 || tensor.dtype == DType::f16) ? DType::f32 : tensor.dtype;
  desc.shape = tensor.shape;
  desc.present = tensor.present;
  return desc;
}

/// `wide`: 16-bit types become f32.
OpDesc desc_of(const Operation& operation, bool wide) {
  OpDesc desc;
  desc.spec = &op_spec(operation.name);
  desc.node = "case";
  desc.attributes = operation.attributes;
  for (const Tensor& tensor : operation.reads) desc.reads.push_back(desc_of(tensor, wide));
  for (const Tensor& tensor : operation.writes) desc.writes.push_back(desc_of(tensor, wide));
  return desc;
}

/// Memory of one side, host or GPU, as functions.
struct Memory {
  std::function<void*(std::size_t)> allocate;
  std::function<void(void*, const void*, std::size_t)> upload;
  std::function<void(void*, const void*, std::size_t)> download;
};

Results run(const Operation& operation, const OpDesc& desc, Kernel& kernel, const Memory& memory, std::int64_t chunk) {
  Bindings bindings;
  const auto allocate = [&](const TensorDesc& tensor) -> void* {
    if (!tensor.present) return nullptr;
    const std::size_t before = static_cast<std::size_t>(operation.shift) * bytes_of(tensor.dtype);
    return static_cast<char*>(memory.allocate(before + tensor.bytes())) + before;
  };
  for (std::size_t i = 0; i < desc.reads.size(); ++i) {
    bindings.reads.push_back(allocate(desc.reads[i]));
    if (!desc.reads[i].present) continue;
    const auto bytes = bytes_of_values(desc.reads[i].dtype, operation.reads[i].values);
    memory.upload(bindings.reads.back(), bytes.data(), bytes.size());
  }
  for (std::size_t i = 0; i < desc.writes.size(); ++i) {
    void* shared = nullptr;
    for (std::size_t j = 0; j < desc.reads.size(); ++j)
      if (operation.reads[j].name == operation.writes[i].name) shared = bindings.reads[j];
    bindings.writes.push_back(shared ? shared : allocate(desc.writes[i]));
  }
  const std::size_t scratchpad = kernel.requirements().scratchpad;
  if (scratchpad > 0) bindings.scratchpad = memory.allocate(scratchpad);
  void* step = memory.allocate(sizeof(StepParams));
  memory.upload(step, &operation.step, sizeof(StepParams));
  bindings.step = static_cast<const StepParams*>(step);
  kernel.bind(bindings);
  const std::int64_t batch = (desc.spec->batch == Batch::reduce ? desc.reads : desc.writes)[0].dim(0);
  for (std::int64_t first = 0; first < batch; first += chunk) kernel.launch(first, std::min(chunk, batch - first));

  Results results;
  for (std::size_t i = 0; i < desc.writes.size(); ++i) {
    if (!desc.writes[i].present) continue;
    std::vector<std::byte> bytes(desc.writes[i].bytes());
    memory.download(bytes.data(), bindings.writes[i], bytes.size());
    results.names.push_back(operation.writes[i].name);
    results.values.push_back(values_of_bytes(desc.writes[i].dtype, bytes));
  }
  return results;
}

void check_close(const char* what, const Results& actual, const Results& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    double largest = 1;
    for (const double value : expected.values[i])
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    for (std::size_t j = 0; j < expected.values[i].size(); ++j) {
      const double got = actual.values[i][j], wanted = expected.values[i][j];
      if (got == wanted || (std::isnan(got) && std::isnan(wanted)) || std::abs(got - wanted) <= tolerance * largest) continue;
      std::ostringstream message;
      message.precision(10);
      message << what << ": element " << j << " of " << expected.names[i] << " is " << got << ", not " << wanted;
      harness::fail(__FILE__, __LINE__, message.str());
    }
  }
}

}  // namespace

Values draw(std::int64_t n) {
  Values values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(static_cast<double>(random_word() >> 25) / 32 - 2);
  return values;
}

Values integers(std::int64_t n, int low, int high) {
  Values values;
  const auto count = static_cast<std::uint32_t>(high - low + 1);
  for (std::int64_t i = 0; i < n; ++i) values.push_back(low + static_cast<int>((random_word() >> 8) % count));
  return values;
}

double tolerance_of(DType dtype) { return dtype == DType::f32 ? 2e-6 : dtype == DType::bf16 ? 4e-3 : 5e-4; }

Operation::Operation(const std::string& name) : name(name) {}

Operation& Operation::read(const std::string& operand, DType dtype, const Shape& shape) {
  return read(operand, dtype, shape, draw(elements_of(shape)));
}

Operation& Operation::read(const std::string& operand, DType dtype, const Shape& shape, const Values& values) {
  reads.push_back({operand, dtype, shape, values});
  return *this;
}

Operation& Operation::write(const std::string& operand, DType dtype, const Shape& shape) {
  writes.push_back({operand, dtype, shape, {}});
  return *this;
}

Operation& Operation::without(const std::string& operand) {
  const Tensor absent{operand, DType::f32, {}, {}, false};
  const auto names = [&](const std::string& operands) {
    return (" " + operands + " ").find(" " + operand + "? ") != std::string::npos;
  };
  if (names(op_spec(name).reads)) reads.push_back(absent);
  if (names(op_spec(name).writes)) writes.push_back(absent);
  return *this;
}

Operation& Operation::set(const std::string& attribute, const Attributes::Value& value) {
  attributes.set(attribute, value);
  return *this;
}

Results on_gpu(const Operation& operation, cuda::Prepare prepare, std::int64_t chunk) {
  cuda::Device device;
  device.stream = make_stream();
  const OpDesc desc = desc_of(operation, false);
  const auto kernel = prepare(desc, device);
  const Memory memory{[](std::size_t bytes) {
                        void* made = nullptr;
                        CUDA(cudaMalloc(&made, bytes));
                        return made;
                      },
                      [&](void* to, const void* from, std::size_t bytes) {
                        CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device.stream));
                      },
                      [&](void* to, const void* from, std::size_t bytes) {
                        CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device.stream));
                        if (cudaStreamSynchronize(device.stream) != cudaSuccess) harness::fail(__FILE__, __LINE__, simFault());
                      }};
  return run(operation, desc, *kernel, memory, chunk);
}

Results on_reference(const Operation& operation) {
  const auto backend = make_reference_backend();
  const OpDesc desc = desc_of(operation, true);
  const auto kernel = backend->prepare(desc, Policy());
  const auto copy = [](void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); };
  return run(operation, desc, *kernel, {[&](std::size_t bytes) { return backend->allocate(bytes); }, copy, copy}, 1 << 30);
}

void compare(Operation operation, cuda::Prepare prepare, double tolerance, std::int64_t batch) {
  constexpr std::int64_t whole = 1 << 30;
  const Results expected = on_reference(operation);
  const Results actual = on_gpu(operation, prepare, whole);
  check_close("whole", actual, expected, tolerance);
  for (const std::int64_t chunk : {1, 2})
    if (batch > chunk) check_close("in chunks", on_gpu(operation, prepare, chunk), actual, 0);
  operation.shift = 1;
  check_close("shifted", on_gpu(operation, prepare, whole), expected, tolerance);
}

void check_refused(const Operation& operation, cuda::Prepare prepare, const char* words) {
  try {
    on_gpu(operation, prepare, 1);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported || std::strstr(error.what(), words) == nullptr)
      harness::fail(__FILE__, __LINE__, std::string("the error is: ") + error.what());
    return;
  }
  harness::fail(__FILE__, __LINE__, "the kernel was prepared");
}
