// Pooling and its gradients. A gradient gathers: each input pixel sums over the windows that read it.
#include <cmath>

#include "reference/kernel.h"
#include "reference/window_axis.h"

namespace eraserelu::reference {

namespace {

/// Windows over images [N,H,W,C].
struct Pooling {
  Pooling(const Shape& x, const Shape& y, const Attributes& attributes)
      : rows(window_axis(0, x, y, attributes.integers("kernel")[0], attributes)),
        columns(window_axis(1, x, y, attributes.integers("kernel")[1], attributes)), channels(x[3]) {}

  WindowAxis rows, columns;
  std::int64_t channels;

  std::int64_t x(std::int64_t n, std::int64_t h, std::int64_t w) const {
    return ((n * rows.in + h) * columns.in + w) * channels;
  }
  std::int64_t y(std::int64_t n, std::int64_t h, std::int64_t w) const {
    return ((n * rows.out + h) * columns.out + w) * channels;
  }
  std::int64_t tap(std::int64_t r, std::int64_t s) const { return r * columns.kernel + s; }

  template <typename Visit>
  void each_output(std::int64_t first, std::int64_t count, Visit visit) const {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t i = 0; i < rows.out; ++i)
        for (std::int64_t j = 0; j < columns.out; ++j)
          for (std::int64_t c = 0; c < channels; ++c) visit(n, i, j, c);
  }

  template <typename Visit>
  void each_input(std::int64_t first, std::int64_t count, Visit visit) const {
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t h = 0; h < rows.in; ++h)
        for (std::int64_t w = 0; w < columns.in; ++w)
          for (std::int64_t c = 0; c < channels; ++c) visit(n, h, w, c);
  }

  /// Calls visit(r, s, h, w) for every tap of window (i, j) inside the image, in row-major order.
  template <typename Visit>
  void each_tap(std::int64_t i, std::int64_t j, Visit visit) const {
    for (std::int64_t r = 0; r < rows.kernel; ++r)
      for (std::int64_t s = 0; s < columns.kernel; ++s) {
        const std::int64_t h = rows.source(i, r), w = columns.source(j, s);
        if (h >= 0 && w >= 0) visit(r, s, h, w);
      }
  }

  /// Calls visit(r, s, i, j) for every window (i, j) whose tap (r, s) reads pixel (h, w).
  template <typename Visit>
  void each_window(std::int64_t h, std::int64_t w, Visit visit) const {
    for (std::int64_t r = 0; r < rows.kernel; ++r)
      for (std::int64_t s = 0; s < columns.kernel; ++s) {
        const std::int64_t i = rows.window(h, r), j = columns.window(w, s);
        if (i >= 0 && j >= 0) visit(r, s, i, j);
      }
  }

  /// What the sum of window (i, j) is divided by.
  double divisor(std::int64_t i, std::int64_t j, bool countIncludePad) const {
    if (countIncludePad) return static_cast<double>(rows.kernel * columns.kernel);
    std::int64_t inside = 0;
    each_tap(i, j, [&](auto, auto, auto, auto) { ++inside; });
    return static_cast<double>(inside);
  }
};

class MaxPool : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    p_.each_output(first, count, [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t c) {
      double best = -INFINITY;
      std::int64_t winner = -1;
      p_.each_tap(i, j, [&](std::int64_t r, std::int64_t s, std::int64_t h, std::int64_t w) {
        const double value = x_[p_.x(n, h, w) + c];
        if (winner >= 0 && !(value > best) && !(std::isnan(value) && !std::isnan(best))) return;
        best = value;
        winner = p_.tap(r, s);
      });
      y_[p_.y(n, i, j) + c] = best;
      if (argmax_) argmax_[p_.y(n, i, j) + c] = static_cast<std::uint8_t>(winner);
    });
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
  Write<std::uint8_t> argmax_{this, "argmax"};
  const Pooling p_{x_.shape(), y_.shape(), attributes()};
};

class MaxPoolBwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    p_.each_input(first, count, [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
      double total = 0;
      p_.each_window(h, w, [&](std::int64_t r, std::int64_t s, std::int64_t i, std::int64_t j) {
        const std::int64_t at = p_.y(n, i, j) + c;
        if (argmax_[at] == p_.tap(r, s)) total += dy_[at];
      });
      dx_[p_.x(n, h, w) + c] = total;
    });
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Read<std::uint8_t> argmax_{this, "argmax"};
  Write<AnyFloat> dx_{this, "dx"};
  const Pooling p_{dx_.shape(), dy_.shape(), attributes()};
};

class AvgPool : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    p_.each_output(first, count, [&](std::int64_t n, std::int64_t i, std::int64_t j, std::int64_t c) {
      double total = 0;
      p_.each_tap(i, j, [&](auto, auto, std::int64_t h, std::int64_t w) { total += x_[p_.x(n, h, w) + c]; });
      y_[p_.y(n, i, j) + c] = total / p_.divisor(i, j, countIncludePad_);
    });
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
  const Pooling p_{x_.shape(), y_.shape(), attributes()};
  const bool countIncludePad_ = attributes().flag("countIncludePad");
};

class AvgPoolBwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    p_.each_input(first, count, [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
      double total = 0;
      p_.each_window(h, w, [&](auto, auto, std::int64_t i, std::int64_t j) {
        total += dy_[p_.y(n, i, j) + c] / p_.divisor(i, j, countIncludePad_);
      });
      dx_[p_.x(n, h, w) + c] = total;
    });
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Write<AnyFloat> dx_{this, "dx"};
  const Pooling p_{dx_.shape(), dy_.shape(), attributes()};
  const bool countIncludePad_ = attributes().flag("countIncludePad");
};

/// The mean over all pixels.
class GlobalAvgPool : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    const std::int64_t channels = x_.channels(), pixels = x_.image_elements() / channels;
    for (std::int64_t n = first; n < first + count; ++n)
      for (std::int64_t c = 0; c < channels; ++c) {
        double total = 0;
        for (std::int64_t p = 0; p < pixels; ++p) total += x_[(n * pixels + p) * channels + c];
        y_[n * channels + c] = total / static_cast<double>(pixels);
      }
  }

 private:
  Read<AnyFloat> x_{this, "x"};
  Write<AnyFloat> y_{this, "y"};
};

class GlobalAvgPoolBwd : public ReferenceKernel {
 public:
  using ReferenceKernel::ReferenceKernel;

  void launch(std::int64_t first, std::int64_t count) override {
    const std::int64_t channels = dx_.channels(), pixels = dx_.image_elements() / channels;
    for (std::int64_t e = first * dx_.image_elements(); e < (first + count) * dx_.image_elements(); ++e)
      dx_[e] = dy_[e / dx_.image_elements() * channels + e % channels] / static_cast<double>(pixels);
  }

 private:
  Read<AnyFloat> dy_{this, "dy"};
  Write<AnyFloat> dx_{this, "dx"};
};

}  // namespace

const std::vector<KernelRow> kPoolingKernels = {
    {"maxPool", make<MaxPool>},
    {"maxPoolBwd", make<MaxPoolBwd>},
    {"avgPool", make<AvgPool>},
    {"avgPoolBwd", make<AvgPoolBwd>},
    {"globalAvgPool", make<GlobalAvgPool>},
    {"globalAvgPoolBwd", make<GlobalAvgPoolBwd>},
};

}  // namespace eraserelu::reference
