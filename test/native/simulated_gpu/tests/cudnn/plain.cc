#include "tests/cudnn/plain.h"

#include <cmath>

namespace frontend::plain {
namespace {

std::int64_t output_size(std::int64_t image, std::int64_t filter, const Window& window, std::size_t axis) {
  const std::int64_t extent = (filter - 1) * window.dilation[axis] + 1;
  return (image + window.pre[axis] + window.post[axis] - extent) / window.stride[axis] + 1;
}

/// The value at a position of the padded image.
double padded(const Array& x, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return h < 0 || h >= x.dims[2] || w < 0 || w >= x.dims[3] ? 0 : x.at(n, c, h, w);
}

template <typename Value>
Array filled(const Dims& dims, Value value) {
  Array result(dims);
  for (std::int64_t n = 0; n < dims[0]; ++n)
    for (std::int64_t c = 0; c < dims[1]; ++c)
      for (std::int64_t h = 0; h < dims[2]; ++h)
        for (std::int64_t w = 0; w < dims[3]; ++w) result.at(n, c, h, w) = value(n, c, h, w);
  return result;
}

}  // namespace

Array convolution(const Array& x, const Array& w, const Window& window) {
  const std::int64_t groups = x.dims[1] / w.dims[1], filtersPerGroup = w.dims[0] / groups;
  const Dims dims{x.dims[0], w.dims[0], output_size(x.dims[2], w.dims[2], window, 0),
                  output_size(x.dims[3], w.dims[3], window, 1)};
  return filled(dims, [&](std::int64_t n, std::int64_t k, std::int64_t p, std::int64_t q) {
    double sum = 0;
    for (std::int64_t c = 0; c < w.dims[1]; ++c)
      for (std::int64_t r = 0; r < w.dims[2]; ++r)
        for (std::int64_t s = 0; s < w.dims[3]; ++s)
          sum += w.at(k, c, r, s) * padded(x, n, k / filtersPerGroup * w.dims[1] + c,
                                           p * window.stride[0] - window.pre[0] + r * window.dilation[0],
                                           q * window.stride[1] - window.pre[1] + s * window.dilation[1]);
    return sum;
  });
}

Array convolution_data(const Array& dy, const Array& w, const Dims& dims, const Window& window) {
  const std::int64_t groups = dims[1] / w.dims[1], filtersPerGroup = w.dims[0] / groups;
  return filled(dims, [&](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t x) {
    double sum = 0;
    for (std::int64_t k = 0; k < w.dims[0]; ++k)
      for (std::int64_t r = 0; r < w.dims[2]; ++r)
        for (std::int64_t s = 0; s < w.dims[3]; ++s) {
          const std::int64_t top = h + window.pre[0] - r * window.dilation[0], left = x + window.pre[1] - s * window.dilation[1];
          if (k / filtersPerGroup != c / w.dims[1] || top % window.stride[0] != 0 || left % window.stride[1] != 0) continue;
          sum += w.at(k, c % w.dims[1], r, s) * padded(dy, n, k, top / window.stride[0], left / window.stride[1]) *
                 (top >= 0 && left >= 0);
        }
    return sum;
  });
}

Array convolution_filter(const Array& dy, const Array& x, const Dims& dims, const Window& window) {
  const std::int64_t groups = x.dims[1] / dims[1], filtersPerGroup = dims[0] / groups;
  return filled(dims, [&](std::int64_t k, std::int64_t c, std::int64_t r, std::int64_t s) {
    double sum = 0;
    for (std::int64_t n = 0; n < dy.dims[0]; ++n)
      for (std::int64_t p = 0; p < dy.dims[2]; ++p)
        for (std::int64_t q = 0; q < dy.dims[3]; ++q)
          sum += dy.at(n, k, p, q) * padded(x, n, k / filtersPerGroup * dims[1] + c,
                                            p * window.stride[0] - window.pre[0] + r * window.dilation[0],
                                            q * window.stride[1] - window.pre[1] + s * window.dilation[1]);
    return sum;
  });
}

Array combined(const Array& a, const Array& b, const std::function<double(double, double)>& f) {
  const bool perChannel = b.dims != a.dims;
  return filled(a.dims, [&](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
    return f(a.at(n, c, h, w), perChannel ? b.at(0, c) : b.at(n, c, h, w));
  });
}

Array mapped(const Array& a, const std::function<double(double)>& f) {
  Array result = a;
  for (double& value : result.values) value = f(value);
  return result;
}

namespace {

/// The mean of f(position) over N, H and W for each channel.
template <typename Value>
Array channel_means(const Dims& dims, Value value) {
  return filled({1, dims[1], 1, 1}, [&](std::int64_t, std::int64_t c, std::int64_t, std::int64_t) {
    double sum = 0;
    for (std::int64_t n = 0; n < dims[0]; ++n)
      for (std::int64_t h = 0; h < dims[2]; ++h)
        for (std::int64_t w = 0; w < dims[3]; ++w) sum += value(n, c, h, w);
    return sum / static_cast<double>(dims[0] * dims[2] * dims[3]);
  });
}

}  // namespace

Statistics statistics(const Array& x, double epsilon) {
  const Array mean = channel_means(x.dims, [&](auto n, auto c, auto h, auto w) { return x.at(n, c, h, w); });
  const Array variance =
      channel_means(x.dims, [&](auto n, auto c, auto h, auto w) { return std::pow(x.at(n, c, h, w) - mean.at(0, c), 2); });
  return {mean, variance, mapped(variance, [&](double v) { return std::pow(v + epsilon, -0.5); })};
}

Array normalised(const Array& x, const Array& mean, const Array& inverse, const Array& scale, const Array& bias) {
  return filled(x.dims, [&](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
    return (x.at(n, c, h, w) - mean.at(0, c)) * inverse.at(0, c) * scale.at(0, c) + bias.at(0, c);
  });
}

Gradients norm_gradients(const Array& dy, const Array& x, const Array& scale, const Array& mean, const Array& inverse) {
  const double members = static_cast<double>(x.dims[0] * x.dims[2] * x.dims[3]);
  const auto times_members = [&](const Array& means) { return mapped(means, [&](double value) { return value * members; }); };
  // y = scale * (x - mean) * inverse + bias, inverse = (variance + epsilon)^-1/2: dL/dinverse, then dL/dvariance, then dL/dmean.
  const Array dinverse = times_members(channel_means(x.dims, [&](auto n, auto c, auto h, auto w) {
    return dy.at(n, c, h, w) * scale.at(0, c) * (x.at(n, c, h, w) - mean.at(0, c));
  }));
  const Array dvariance = combined(dinverse, inverse, [](double d, double i) { return d * -0.5 * i * i * i; });
  const Array dmean = times_members(channel_means(
      x.dims, [&](auto n, auto c, auto h, auto w) { return -dy.at(n, c, h, w) * scale.at(0, c) * inverse.at(0, c); }));
  const Array dx = filled(x.dims, [&](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
    return dy.at(n, c, h, w) * scale.at(0, c) * inverse.at(0, c) +
           dvariance.at(0, c) * 2 * (x.at(n, c, h, w) - mean.at(0, c)) / members + dmean.at(0, c) / members;
  });
  const Array dscale = times_members(channel_means(x.dims, [&](auto n, auto c, auto h, auto w) {
    return dy.at(n, c, h, w) * (x.at(n, c, h, w) - mean.at(0, c)) * inverse.at(0, c);
  }));
  return {dx, dscale, times_members(channel_means(x.dims, [&](auto n, auto c, auto h, auto w) { return dy.at(n, c, h, w); }))};
}

}  // namespace frontend::plain
