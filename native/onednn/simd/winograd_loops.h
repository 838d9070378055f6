// The loops of Winograd's convolution F(4x4, 3x3); winograd.h says what they are parts of.
#pragma once

#include <algorithm>
#include <cstdint>

#include "onednn/simd/lanes.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

/// Rows of Bᵀ, of one line of six: what an input tile is multiplied with from both sides.
inline void transform_six(const Lanes (&d)[6], Lanes* out, int step) {
  const Lanes even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
  const Lanes difference = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
  out[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  out[step] = even + odd;
  out[2 * step] = even - odd;
  out[3 * step] = difference + twice;
  out[4 * step] = difference - twice;
  out[5 * step] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

/// Rows of Aᵀ, of one line of six: from products to four sums.
inline void transform_four(const Lanes (&m)[6], Lanes* out, int step) {
  const Lanes sum = m[1] + m[2], difference = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  out[0] = m[0] + sum + sum2;
  out[step] = difference + 2.0f * difference2;
  out[2 * step] = sum + 4.0f * sum2;
  out[3 * step] = difference + 8.0f * difference2 + m[5];
}

/// Rows of G, of one line of three: what a filter is multiplied with from both sides.
inline void transform_three(const Lanes (&g)[3], Lanes* out, int step) {
  const Lanes outer = (g[0] + g[2]) * (-1.0f / 6), middle = g[1] * (-1.0f / 6);
  const Lanes mixed = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), half = g[1] * (1.0f / 12);
  out[0] = g[0] * 0.25f;
  out[step] = outer + middle;
  out[2 * step] = outer - middle;
  out[3 * step] = mixed + half;
  out[4 * step] = mixed - half;
  out[5 * step] = g[2];
}

/// `count` floats that lie `step` apart; the other lanes are zero.
inline Lanes load_every(const float* from, std::int64_t step, std::int64_t count) {
  Lanes value = {};
  for (int lane = 0; lane < smaller(count, kLanes); ++lane) value[lane] = from[lane * step];
  return value;
}

void winograd_filter_loop(const WinogradFilter& a, std::int64_t filters, float* u, std::int64_t position) {
  each_vector(filters, [&](std::int64_t k, auto vector) {
    Lanes half[18];
    ERASERELU_UNROLL
    for (int column = 0; column < 3; ++column) {
      Lanes line[3];
      for (int row = 0; row < 3; ++row) {
        const float* taps = a.w + k * a.filter + (row * 3 + column) * a.tap;
        line[row] = a.filter == 1 ? vector.load(taps) : load_every(taps, a.filter, filters - k);
      }
      transform_three(line, half + column, 3);
    }
    ERASERELU_UNROLL
    for (int row = 0; row < 6; ++row) {
      const Lanes line[3] = {half[row * 3], half[row * 3 + 1], half[row * 3 + 2]};
      Lanes out[6];
      transform_three(line, out, 1);
      for (int column = 0; column < 6; ++column) store(u + (row * 6 + column) * position + k, out[column]);
    }
  });
}

void winograd_input_loop(const float* const* pixels, std::int64_t channels, float* tile, std::int64_t position) {
  each_vector(channels, [&](std::int64_t c, auto vector) {
    Lanes half[36];
    ERASERELU_UNROLL
    for (int column = 0; column < 6; ++column) {
      Lanes line[6];
      for (int row = 0; row < 6; ++row) line[row] = vector.load(pixels[row * 6 + column] + c);
      transform_six(line, half + column, 6);
    }
    ERASERELU_UNROLL
    for (int row = 0; row < 6; ++row) {
      Lanes line[6], out[6];
      for (int column = 0; column < 6; ++column) line[column] = half[row * 6 + column];
      transform_six(line, out, 1);
      for (int column = 0; column < 6; ++column) store(tile + (row * 6 + column) * position + c, out[column]);
    }
  });
}

void winograd_output_loop(const WinogradOutput& a, std::int64_t position) {
  each_vector(a.channels, [&](std::int64_t k, auto vector) {
    Lanes half[24];
    ERASERELU_UNROLL
    for (int column = 0; column < 6; ++column) {
      Lanes line[6];
      for (int row = 0; row < 6; ++row) line[row] = load(a.product + (row * 6 + column) * position + k);
      transform_four(line, half + column, 6);
    }
    const Lanes bias = a.bias ? vector.load(a.bias + k) : Lanes{};
    ERASERELU_UNROLL
    for (int row = 0; row < 4; ++row) {
      Lanes line[6], out[4];
      for (int column = 0; column < 6; ++column) line[column] = half[row * 6 + column];
      transform_four(line, out, 1);
      for (int column = 0; column < 4; ++column) {
        const std::int64_t at = a.pixels[row * 4 + column];
        if (at < 0) continue;
        Lanes value = out[column] + bias;
        if (a.addend) value += vector.load(a.addend + at + k);
        if (a.relu) value = value <= 0.0f ? Lanes{} : value;   // a NaN stays one
        vector.store(a.y + at + k, value);
      }
    }
  });
}

/// Rows of A, of one line of four.
inline void transform_gradient(const Lanes (&y)[4], Lanes* out, int step) {
  const Lanes even = y[0] + y[2], odd = y[1] + y[3];
  const Lanes even2 = y[0] + 4.0f * y[2], odd2 = 2.0f * y[1] + 8.0f * y[3];
  out[0] = y[0];
  out[step] = even + odd;
  out[2 * step] = even - odd;
  out[3 * step] = even2 + odd2;
  out[4 * step] = even2 - odd2;
  out[5 * step] = y[3];
}

/// Rows of Gᵀ, of one line of six.
inline void transform_taps(const Lanes (&e)[6], Lanes* out, int step) {
  const Lanes sum = (e[1] + e[2]) * (1.0f / 6), difference = (e[2] - e[1]) * (1.0f / 6);
  const Lanes sum2 = (e[3] + e[4]) * (1.0f / 24), difference2 = (e[3] - e[4]) * (1.0f / 12);
  out[0] = 0.25f * e[0] - sum + sum2;
  out[step] = difference + difference2;
  out[2 * step] = 4.0f * sum2 - sum + e[5];
}

void winograd_gradient_loop(const float* const* pixels, std::int64_t channels, float* tile, std::int64_t position) {
  each_vector(channels, [&](std::int64_t k, auto vector) {
    Lanes half[24];
    ERASERELU_UNROLL
    for (int column = 0; column < 4; ++column) {
      Lanes line[4];
      for (int row = 0; row < 4; ++row) line[row] = vector.load(pixels[row * 4 + column] + k);
      transform_gradient(line, half + column, 4);
    }
    ERASERELU_UNROLL
    for (int row = 0; row < 6; ++row) {
      Lanes line[4], out[6];
      for (int column = 0; column < 4; ++column) line[column] = half[row * 4 + column];
      transform_gradient(line, out, 1);
      for (int column = 0; column < 6; ++column) store(tile + (row * 6 + column) * position + k, out[column]);
    }
  });
}

void winograd_filter_gradient_loop(const WinogradFilterGradient& a, std::int64_t position) {
  each_vector(a.channels, [&](std::int64_t c, auto vector) {
    Lanes half[18];
    ERASERELU_UNROLL
    for (int column = 0; column < 6; ++column) {
      Lanes line[6];
      for (int row = 0; row < 6; ++row) {
        const float* sums = a.sums + (row * 6 + column) * position + c;
        line[row] = load(sums);
        for (std::int64_t part = 1; part < a.parts; ++part) line[row] += load(sums + part * a.part);
      }
      transform_taps(line, half + column, 6);
    }
    ERASERELU_UNROLL
    for (int row = 0; row < 3; ++row) {
      Lanes line[6], out[3];
      for (int column = 0; column < 6; ++column) line[column] = half[row * 6 + column];
      transform_taps(line, out, 1);
      for (int column = 0; column < 3; ++column) vector.store(a.dw + (row * 3 + column) * a.channels + c, out[column]);
    }
  });
}

/// A block of Rows rows and Columns vectors of a product, whose sums stay in registers.
template <int Rows, int Columns, bool kAdd>
inline void multiply_block(const WinogradProduct& m, const float* a, const float* b, float* product) {
  const std::int64_t aRow = m.aRow, aStep = m.aStep, bRow = m.bRow, productRow = m.productRow;   // not read again after a store
  Lanes sum[Rows][Columns];
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) sum[i][j] = kAdd ? load(product + i * productRow + j * kLanes) : Lanes{};
  std::int64_t depth = m.depth;
  do {
    Lanes row[Columns];
    for (int j = 0; j < Columns; ++j) row[j] = load(b + j * kLanes);
    for (int i = 0; i < Rows; ++i) {
      const float factor = a[i * aRow];
      for (int j = 0; j < Columns; ++j) sum[i][j] += factor * row[j];
    }
    a += aStep;
    b += bRow;
  } while (--depth > 0);
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) store(product + i * productRow + j * kLanes, sum[i][j]);
}

/// A block of `rows` rows, Most at most.
template <int Most, int Columns, bool kAdd>
inline void multiply_rows(const WinogradProduct& m, std::int64_t rows, const float* a, const float* b, float* product) {
  if constexpr (Most > 1)
    if (rows < Most) return multiply_rows<Most - 1, Columns, kAdd>(m, rows, a, b, product);
  multiply_block<Most, Columns, kAdd>(m, a, b, product);
}

/// All rows of a stripe of Columns vectors, in blocks of about as many rows: with few sums at once each addition waits for the one before.
template <int Columns, bool kAdd>
void multiply_stripe(const WinogradProduct& m, const float* b, float* product) {
  constexpr int kMost = std::min((kRegisters - Columns - 1) / Columns, 14);   // beside a row of b and a factor
  const float* a = m.a;
  std::int64_t left = m.rows;
  for (std::int64_t blocks = (left + kMost - 1) / kMost; blocks > 0; --blocks) {
    const std::int64_t rows = (left + blocks - 1) / blocks;
    multiply_rows<kMost, Columns, kAdd>(m, rows, a, b, product);
    left -= rows, a += rows * m.aRow, product += rows * m.productRow;
  }
}

/// Stripes of Columns vectors from `column` on; returns where they end.
template <int Columns, bool kAdd>
std::int64_t multiply_stripes(const WinogradProduct& m, std::int64_t column) {
  for (; column + Columns * kLanes <= m.columns; column += Columns * kLanes)
    multiply_stripe<Columns, kAdd>(m, m.b + column, m.product + column);
  return column;
}

constexpr int kWidest = kLanes == 16 ? 4 : 2;

template <bool kAdd>
void multiply(const WinogradProduct& m) {
  std::int64_t column = multiply_stripes<kWidest, kAdd>(m, 0);
  if constexpr (kWidest > 2) column = multiply_stripes<2, kAdd>(m, column);
  multiply_stripes<1, kAdd>(m, column);
}

void winograd_multiply_loop(const WinogradProduct& m) { (m.add ? multiply<true> : multiply<false>)(m); }

constexpr WinogradLoops kWinograd = {
    kWidest * kLanes,       winograd_filter_loop,   winograd_input_loop,           winograd_multiply_loop,
    winograd_output_loop,   winograd_gradient_loop, winograd_filter_gradient_loop,
};

}  // namespace
}  // namespace eraserelu
