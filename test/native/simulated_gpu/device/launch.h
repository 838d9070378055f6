// launch() for kernels that are compiled for the host; the same signature as in native/cuda/kernel.h.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../runtime/sim.h"

namespace simulated_gpu {

template <typename T, typename = void>
struct ListsPointers : std::false_type {};
template <typename T>
struct ListsPointers<T, std::void_t<decltype(std::declval<const T&>().each_pointer(std::declval<void (*)(const void*)>()))>>
    : std::true_type {};

template <typename T>
constexpr bool is_number =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>;

/// Collects the pointers in a kernel's argument.
template <typename T>
void collect_pointers(const T& argument, std::vector<const void*>& pointers) {
  if constexpr (std::is_pointer_v<T>) {
    pointers.push_back(argument);
  } else if constexpr (ListsPointers<T>::value) {
    argument.each_pointer([&](const void* each) { pointers.push_back(each); });
  } else {
    static_assert(is_number<T>,
                  "a struct that is a kernel's argument lists its pointers, so that they can be checked: "
                  "template <typename Visit> void each_pointer(Visit visit) const { visit(x); visit(y); }");
  }
}

}  // namespace simulated_gpu

namespace eraserelu {

template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream,
                   Arguments&&... arguments) {
  const std::tuple<Parameters...> values(static_cast<Parameters>(arguments)...);
  SimLaunch made{reinterpret_cast<const void*>(kernel), grid, block, shared, stream, {}, [=] { std::apply(kernel, values); }};
  std::apply([&](const auto&... each) { (simulated_gpu::collect_pointers(each, made.pointers), ...); }, values);
  return simLaunch(made);
}

}  // namespace eraserelu
