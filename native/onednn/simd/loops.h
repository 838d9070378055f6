// The hot loops, compiled once for every instruction set (loops.cc) and chosen at run time (dispatch.cc).
// They are serial and know nothing of plans: the kernels in native/onednn/ cut the work and run them in parallel.
//
// Per-channel vectors are passed *tiled*: repeated to `period` floats, a multiple of the channels (see period_of), so that
// every loop is flat and vectorises for any number of channels. Tensors start at channel 0 and hold `n` elements. With a pitch a
// loop goes pixel by pixel, on the same places of the vectors: the sums are the same bits.
//
// T is the type of activations, float or Bf16. Arithmetic is that of float, rounded where a T is written.
#pragma once

#include <cstdint>

#include "base/bf16.h"
#include "base/optimizer_formulas.h"
#include "base/pointwise.h"

namespace eraserelu {

template <typename T>
struct BnApply {
  const T* x;
  std::int64_t pitch;      // elements from a pixel of x to the next; all else is dense
  const float* scale;      // tiled
  const float* shift;      // tiled
  const T* residual;       // or nullptr
  T* y;
  std::uint8_t* mask;      // bits, as base/mask.h says; or nullptr
  bool relu;
};

/// Backward of batch norm with its activation: which elements were active comes from the mask, or from x with scale and shift.
template <typename T>
struct BnBackward {
  const T* dy;
  const T* x;
  std::int64_t pitch;         // elements from a pixel of x to the next; all else is dense
  const std::uint8_t* mask;   // bits, or nullptr
  const float* scale;         // tiled; gamma * invstd
  const float* shift;         // tiled
  const float* mean;          // tiled
  bool relu;
};

/// Where the gradient of batch norm's input goes: dx = scale·g + slope·(x-mean) + offset, or that and an addend.
template <typename T>
struct BnInputGradient {
  const float* slope;           // tiled
  const float* offset;          // tiled
  T* dx;
  T* dresidual;                 // = g; or nullptr
  const T* addend;              // or nullptr, and then dx is dense
  std::int64_t addend_pitch;    // elements from a pixel to the next
  std::int64_t pitch;           // of dx
};

template <typename T>
struct WindowTap {
  const T* row;   // the pixel's channels
  int index;      // position in the kernel, row-major
};

// Winograd's convolution (winograd.h). A transformed tile has 36 positions; `position` is the distance between two of them, in floats. Its channels
// fill whole vectors, those of images and filters need not.

struct WinogradFilter {
  const float* w;        // the filter's first tap, of one channel
  std::int64_t filter;   // floats from a filter to the next
  std::int64_t tap;      // floats from a tap to the next
};

/// product[rows][columns] = a[rows][depth] · b[depth][columns], or added to it.
struct WinogradProduct {
  const float* a;
  std::int64_t aRow, aStep;   // floats from a row to the next, and along the depth
  const float* b;
  std::int64_t bRow;
  float* product;
  std::int64_t productRow;
  std::int64_t rows, columns, depth;
  bool add;
};

struct WinogradOutput {
  const float* product;       // of this tile
  std::int64_t channels;
  const float* bias;          // or nullptr
  const float* addend;        // or nullptr; lies as y
  bool relu;
  std::int64_t pixels[16];    // where each pixel lies in y; -1: outside
  float* y;
};

/// Sums over tiles of what belongs to a filter, back in the filter's own taps.
struct WinogradFilterGradient {
  const float* sums;          // of the first part of the batch
  std::int64_t parts, part;   // how many, and floats from one to the next
  std::int64_t channels;
  float* dw;                  // a tap is `channels` from the next
};

struct WinogradLoops {
  std::int64_t panel;   // columns of b that `multiply` likes side by side
  void (*filter)(const WinogradFilter& a, std::int64_t filters, float* u, std::int64_t position);
  void (*input)(const float* const* pixels, std::int64_t channels, float* tile, std::int64_t position);   // 6x6 pixels
  void (*multiply)(const WinogradProduct& a);
  void (*output)(const WinogradOutput& a, std::int64_t position);
  void (*gradient)(const float* const* pixels, std::int64_t channels, float* tile, std::int64_t position);   // 4x4 pixels
  void (*filter_gradient)(const WinogradFilterGradient& a, std::int64_t position);
};

// Convolutions with few channels a group (grouped_convolution.h), a block of `lanes` channels at a time. Their input is a copy, in which a
// block's channels lie pixel behind pixel.

/// A row of the output.
struct GroupedRow {
  const float* rows[3];   // of the input, from the first column of the first window on; nullptr outside the image
  const float* filter;    // [3][3][group][lanes]
  const float* bias;      // or nullptr
  const float* addend;    // or nullptr; lies as y
  bool relu;
  float* y;
  std::int64_t pitch;     // floats from a pixel of y to the next
  std::int64_t width;     // of y
};

/// Adds to the gradient of a filter's row what rows of the output give.
struct GroupedGradient {
  const float* x;         // from the first column of the first window on
  std::int64_t xRow;      // floats from one row's windows to the next
  const float* dy;        // [rows][width][lanes]
  std::int64_t rows, width;
  float* sums;            // [3][group][lanes]: of each channel of x with each filter of its group
};

/// Of one size of groups; all nullptr where a vector is smaller than a group.
struct GroupedLoops {
  using Row = void (*)(const GroupedRow& a);
  // copies a block's channels of `count` pixels, which lie `pitch` floats apart
  void (*copy)(const float* from, std::int64_t pitch, std::int64_t count, float* to);
  // asks for pixels [begin, end) ahead of time, for the second-level cache
  void (*fetch)(const float* from, std::int64_t pitch, std::int64_t begin, std::int64_t end, std::int64_t channels);
  Row row[2];          // stride 1 and 2
  Row spread_row[2];   // with columns of zeros between the input's, which lie on even or odd ones
  void (*gradient[2])(const GroupedGradient& a);   // stride 1 and 2
};

template <typename T>
struct TypedLoops {
  // batch norm: one piece of one image, folded to one value a channel; `lanes` is scratch of 3 periods
  // out[3][channels]: a center near the mean, the mean minus the center, the sum of squared deviations from the mean
  void (*bn_stats)(const T* x, std::int64_t n, std::int64_t channels, std::int64_t pitch, std::int64_t period, float* lanes,
                   float* out);
  void (*bn_apply)(const BnApply<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period);
  void (*bn_bwd_reduce)(const BnBackward<T>& a, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes,
                        float* sum_g, float* sum_gx);   // Σ g and Σ g·(x-mean)
  void (*bn_bwd_apply)(const BnBackward<T>& a, const BnInputGradient<T>& to, std::int64_t n, std::int64_t channels,
                       std::int64_t period);   // with dresidual or an addend, not both
  void (*channel_sums)(const T* x, std::int64_t n, std::int64_t channels, std::int64_t period, float* lanes, float* sums);

  // elementwise
  void (*widen)(const T* x, float* y, std::int64_t n);
  void (*narrow)(const float* x, T* y, std::int64_t n);
  void (*relu)(const T* x, T* y, std::int64_t n);
  void (*relu_bwd)(const T* dy, const T* y, T* dx, std::int64_t n);
  void (*add)(const T* a, const T* b, T* y, std::int64_t n);
  void (*add_to)(const float* total, const T* x, float* y, std::int64_t n);   // y = total + x
  void (*scale)(const T* x, float factor, T* y, std::int64_t n);
  void (*divide)(const T* x, float divisor, T* y, std::int64_t n);
  void (*divide_total)(const float* x, float divisor, T* y, std::int64_t n);
  void (*add_divided)(const T* x, float divisor, float* total, std::int64_t n);   // total += x / divisor
  void (*dropout)(const T* x, T* y, std::int64_t n, float p, float kept, std::uint64_t seed, std::uint64_t step,
                  std::uint32_t op_id, std::uint64_t element);   // kept = 1 - p; `element`: the number of x[0]
  // steps are 1 or 0 (a broadcast operand)
  void (*pointwise)(PointwiseFn fn, const T* a, std::int64_t step_a, const T* b, std::int64_t step_b, float alpha, float beta,
                    T* y, std::int64_t n);

  // pooling: one output pixel
  void (*max_pool)(const WindowTap<T>* taps, int count, T* y, std::uint8_t* argmax, std::int64_t channels);
  void (*max_pool_bwd)(const T* dy, const std::uint8_t* argmax, int index, float* total, std::int64_t channels);   // adds

  // update
  double (*sum_of_squares)(const T* x, std::int64_t n);
  void (*sgd)(const SgdParams<float>& params, const T* gradient, float* weights, float* velocity, std::int64_t n);
  void (*adamw)(const AdamwParams<float>& params, const T* gradient, float* weights, float* m, float* v, std::int64_t n);
};

struct Loops {
  const char* name;   // "avx512"
  void (*ema)(const float* weights, float* ema, float fresh, std::int64_t n);
  TypedLoops<float> f32;
  TypedLoops<Bf16> bf16;
  std::int64_t lanes;   // floats of a vector
  WinogradLoops winograd;
  GroupedLoops grouped[3];   // 4, 8 and 16 channels a group
};

/// The best set of loops that this processor runs, or the lesser one that ERASERELU_CPU_ISA names.
const Loops& best_loops();

/// Those for activations of type T.
template <typename T>
const TypedLoops<T>& loops();

}  // namespace eraserelu
