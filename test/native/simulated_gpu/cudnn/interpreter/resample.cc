// Pooling, 2-d.
//  - y_i = 1 + (x_i + post_i + pre_i - w_i) / s_i: cudnn_graph.h, CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR. An average
//    is padded with zeros, a maximum with -infinity: graph API guide, ResampleFwd.
//  - The index is the "zero-indexed row-major position of maximum value of input tensor in the resampling window. In case of
//    multiple input pixels with maximum value, the first index in a left-to-right top-to-bottom scan is selected": graph API
//    guide, Resampling Index Tensor Dump for Training. A NaN is the maximum (CUDNN_PROPAGATE_NAN).
//  - An average counts the padding or not, as its mode's name says.
//  - Backwards "represents the standard operation of backward pooling", by the index for a maximum: graph API guide,
//    ResampleBwd.
#include <limits>

#include "interpreter/operations.h"

namespace simulated_cudnn {
namespace {

struct Windows {
  std::vector<std::int64_t> image, response;   // dims of X and Y
  std::vector<std::int64_t> window, pre, stride;
  cudnnResampleMode_t mode;

  Windows(const Object& resample, const Tensor& x, const Tensor& y)
      : image(x.dims),
        response(y.dims),
        window(resample.integers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS)),
        pre(resample.integers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS)),
        stride(resample.integers(CUDNN_ATTR_RESAMPLE_STRIDES)),
        mode(resample.value_or(CUDNN_ATTR_RESAMPLE_MODE, CUDNN_RESAMPLE_NEAREST)) {}

  bool is_maximum() const { return mode == CUDNN_RESAMPLE_MAXPOOL; }

  /// Calls visit(y) for each output position, and for each pixel of its window inside the image visit_pixel(x, place in the
  /// window).
  template <typename Begin, typename Pixel, typename End>
  void for_each(Begin begin, Pixel pixel, End end) const {
    std::int64_t y = 0;
    for (std::int64_t n = 0; n < response[0]; ++n)
      for (std::int64_t p = 0; p < response[2]; ++p)
        for (std::int64_t q = 0; q < response[3]; ++q)
          for (std::int64_t c = 0; c < response[1]; ++c, ++y) {
            begin(y);
            std::int64_t inside = 0;
            for (std::int64_t r = 0; r < window[0]; ++r)
              for (std::int64_t s = 0; s < window[1]; ++s) {
                const std::int64_t h = p * stride[0] + r - pre[0], w = q * stride[1] + s - pre[1];
                if (h < 0 || h >= image[2] || w < 0 || w >= image[3]) continue;
                ++inside;
                pixel(y, ((n * image[2] + h) * image[3] + w) * image[1] + c, r * window[1] + s);
              }
            end(y, static_cast<double>(mode == CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING ? inside : window[0] * window[1]));
          }
  }
};

}  // namespace

void run_resample_forward(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const Tensor& x = graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC);
  const Tensor& y = graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC);
  const Windows windows(*op.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC), x, y);
  const std::vector<double> image = memory.load(x.uid).data;
  std::vector<double> response(static_cast<std::size_t>(y.elements())), index(response.size());
  windows.for_each(
      [&](std::int64_t at) { response.data()[at] = windows.is_maximum() ? -std::numeric_limits<double>::infinity() : 0; },
      [&](std::int64_t at, std::int64_t from, std::int64_t place) {
        double& result = response.data()[at];
        const double value = image.data()[from];
        if (!windows.is_maximum()) {
          result += value;
        } else if (value > result || (value != value && result == result)) {
          result = value;
          index.data()[at] = static_cast<double>(place);
        }
      },
      [&](std::int64_t at, double divisor) {
        if (!windows.is_maximum()) response.data()[at] /= divisor;
      });
  memory.store(y.uid, response);
  if (op.child(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC) != nullptr)
    memory.store(graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC).uid, index);
}

void run_resample_backward(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const Tensor& dx = graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC);
  const Tensor& dy = graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC);
  const Windows windows(*op.child(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC), dx, dy);
  const std::vector<double> response = memory.load(dy.uid).data;
  std::vector<double> index;
  if (windows.is_maximum()) index = memory.load(graph.tensor(op, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC).uid).data;
  std::vector<double> image(static_cast<std::size_t>(dx.elements()));
  std::vector<std::int64_t> pixels;   // of the window at hand
  windows.for_each([&](std::int64_t) { pixels.clear(); },
                   [&](std::int64_t at, std::int64_t from, std::int64_t place) {
                     if (!windows.is_maximum() || index.data()[at] == static_cast<double>(place)) pixels.push_back(from);
                   },
                   [&](std::int64_t at, double divisor) {
                     for (std::int64_t from : pixels)
                       image.data()[from] += response.data()[at] / (windows.is_maximum() ? 1 : divisor);
                   });
  memory.store(dx.uid, image);
}

}  // namespace simulated_cudnn
