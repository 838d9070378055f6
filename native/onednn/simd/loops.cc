// One instruction set's table of loops. The build compiles this file three times: with -march=x86-64-v2, -v3 and -v4 and
// ERASERELU_ISA set to v2, v3 and v4.
#include "onednn/simd/loops.h"

#include "onednn/simd/batch_norm_loops.h"
#include "onednn/simd/elementwise_loops.h"
#include "onednn/simd/pooling_loops.h"
#include "onednn/simd/update_loops.h"

#define ERASERELU_JOIN_(a, b) a##b
#define ERASERELU_JOIN(a, b) ERASERELU_JOIN_(a, b)

namespace eraserelu {

extern const Loops ERASERELU_JOIN(kLoops_, ERASERELU_ISA);

const Loops ERASERELU_JOIN(kLoops_, ERASERELU_ISA) = {
#if defined(__AVX512F__)
    "avx512",
#elif defined(__AVX2__)
    "avx2",
#else
    "sse4.2",
#endif
    bn_stats,
    bn_apply,
    bn_bwd_reduce,
    bn_bwd_apply,
    channel_sums,
    relu_loop,
    relu_bwd_loop,
    add_loop,
    scale_loop,
    divide_loop,
    add_divided_loop,
    dropout_loop,
    pointwise_loop,
    max_pool_loop,
    max_pool_bwd_loop,
    sum_of_squares_loop,
    sgd_loop,
    adamw_loop,
    ema_loop,
};

}  // namespace eraserelu
