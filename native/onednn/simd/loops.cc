// One instruction set's table of loops. The build compiles this file three times: with -march=x86-64-v2, -v3 and -v4 and
// ERASERELU_ISA set to v2, v3 and v4.
#include "onednn/simd/loops.h"

#include "onednn/simd/batch_norm_loops.h"
#include "onednn/simd/elementwise_loops.h"
#include "onednn/simd/grouped_loops.h"
#include "onednn/simd/pooling_loops.h"
#include "onednn/simd/update_loops.h"
#include "onednn/simd/winograd_loops.h"

#define ERASERELU_JOIN_(a, b) a##b
#define ERASERELU_JOIN(a, b) ERASERELU_JOIN_(a, b)

namespace eraserelu {

namespace {

template <typename T>
constexpr TypedLoops<T> kTyped = {
    bn_stats<T>,
    bn_apply<T>,
    bn_bwd_reduce<T>,
    bn_bwd_apply<T>,
    channel_sums<T>,
    convert_loop<T, float>,
    convert_loop<float, T>,
    relu_loop<T>,
    relu_bwd_loop<T>,
    add_loop<T, T, T>,
    add_loop<float, T, float>,
    scale_loop<T>,
    divide_loop<T, T>,
    divide_loop<float, T>,
    add_divided_loop<T>,
    dropout_loop<T>,
    pointwise_loop<T>,
    max_pool_loop<T>,
    max_pool_bwd_loop<T>,
    sum_of_squares_loop<T>,
    sgd_loop<T>,
    adamw_loop<T>,
};

}  // namespace

extern const Loops ERASERELU_JOIN(kLoops_, ERASERELU_ISA);

const Loops ERASERELU_JOIN(kLoops_, ERASERELU_ISA) = {
#if defined(__AVX512F__)
    "avx512",
#elif defined(__AVX2__)
    "avx2",
#else
    "sse4.2",
#endif
    ema_loop,
    kTyped<float>,
    kTyped<Bf16>,
    kLanes,
    kWinograd,
    {grouped_loops<4>(), grouped_loops<8>(), grouped_loops<16>()},
};

}  // namespace eraserelu
