// Operations that only move elements: concat and slice.
#include "cuda/kernels/shape.h"

#include "backend/kernel_base.h"
#include "base/error.h"
#include "cuda/kernels.h"

namespace eraserelu::cuda {

namespace {

/// The last dimensions that the part takes in full are one with the dimension before them.
Box box_of(const OpDesc& desc, const Shape& whole, const Shape& part) {
  const Shape begin = desc.attributes.integers("begin");
  std::vector<std::size_t> heads;   // the first dimension of each group
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (i == 0 || part[i] != whole[i]) heads.push_back(i);
  if (heads.size() > Box::maxRank)
    fail(ErrorCode::Unsupported, desc.to_string(), ": at most ", Box::maxRank, " dimensions can be cut");
  Box box;
  box.rank = std::max(1, static_cast<int>(heads.size()));
  for (std::size_t group = 0; group < heads.size(); ++group) {
    const std::size_t head = heads[group], end = group + 1 < heads.size() ? heads[group + 1] : whole.size();
    std::int64_t inner = 1;
    for (std::size_t i = head + 1; i < end; ++i) inner *= whole[i];
    box.whole[group] = whole[head] * inner;
    box.part[group] = part[head] * inner;
    box.begin[group] = begin[head] * inner;
  }
  return box;
}

}  // namespace

std::unique_ptr<Kernel> concat(const OpDesc& desc, Device& device) {
  const std::size_t axis = static_cast<std::size_t>(desc.attributes.integer("axis"));
  const std::size_t elementSize = bytes_of(desc.write("y").dtype);
  std::vector<JoinedInputs> launches;   // their addresses are still missing
  std::int64_t rows = 1, row = 0;
  for (const TensorDesc& input : desc.reads) {
    if (launches.empty() || launches.back().count == JoinedInputs::capacity) launches.emplace_back();
    JoinedInputs& inputs = launches.back();
    const std::int64_t run = elements_of(Shape(input.shape.begin() + static_cast<std::ptrdiff_t>(axis), input.shape.end()));
    inputs.run[inputs.count] = run;
    inputs.pitch[inputs.count] = input.pitched() ? input.pitch : run;
    inputs.before[inputs.count++] = row;
    rows = input.elements() / run;
    row += run;
  }
  if (desc.write("y").pitched()) row = desc.write("y").pitch;
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    std::vector<JoinedInputs> bound = launches;
    std::size_t index = 0;
    for (JoinedInputs& inputs : bound)
      for (int i = 0; i < inputs.count; ++i) inputs.data[i] = at.read_at<void>(index++);
    void* y = at.write<void>("y");
    return [=](std::int64_t, std::int64_t) {
      for (const JoinedInputs& inputs : bound)
        if (const cudaError_t status = join(inputs, elementSize, y, rows, row, stream)) return status;
      return cudaSuccess;
    };
  });
}

std::unique_ptr<Kernel> slice(const OpDesc& desc, Device& device) {
  const Box box = box_of(desc, desc.read("x").shape_in_memory(), desc.write("y").shape);
  const std::size_t elementSize = bytes_of(desc.write("y").dtype);
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, x = at.read<void>("x"), y = at.write<void>("y")](std::int64_t, std::int64_t) {
      return cut(box, elementSize, x, y, stream);
    };
  });
}

std::unique_ptr<Kernel> slice_bwd(const OpDesc& desc, Device& device) {
  const Box box = box_of(desc, desc.write("dx").shape, desc.read("dy").shape);
  const std::size_t elementSize = bytes_of(desc.write("dx").dtype);
  return own_kernel(desc, {}, [=, stream = device.stream](const Operands& at) -> DeviceLaunch {
    return [=, dy = at.read<void>("dy"), dx = at.write<void>("dx")](std::int64_t, std::int64_t) {
      return cut_bwd(box, elementSize, dy, dx, stream);
    };
  });
}

}  // namespace eraserelu::cuda
