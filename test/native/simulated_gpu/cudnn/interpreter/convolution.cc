// The three convolutions, 2-d, cross-correlation.
//  - Shapes: X [N, GC, H, W], W [GK, C, R, S], Y [N, GK, P, Q], G groups; y = alpha * (w * x) + beta * y: cudnn_graph.h,
//    CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR. alpha is 1 and beta 0 (operation_checks.cc).
//  - Which x a tap reads: cudnn_cnn Library, cudnnGetConvolution2dForwardOutputDim (outputDim = 1 + (inputDim + 2*pad -
//    (((filterDim - 1) * dilation) + 1)) / stride), with pre- and post-padding apart.
//  - The gradients: "computing filter gradients from a response and an image tensor", "computing input data gradients from a
//    response and a filter tensor": graph API guide, Convolutions; the adjoints of the forward sum. A row that no window
//    reaches has gradient 0.
#include "interpreter/operations.h"

namespace simulated_cudnn {
namespace {

struct Geometry {
  std::int64_t images, channels, height, width;   // of X
  std::int64_t filters, depth, rows, columns;   // of W; depth is C, the channels of one group
  std::int64_t outHeight, outWidth;
  std::vector<std::int64_t> pre, stride, dilation;

  Geometry(const Object& convolution, const Tensor& x, const Tensor& w, const Tensor& y)
      : images(x.dims[0]),
        channels(x.dims[1]),
        height(x.dims[2]),
        width(x.dims[3]),
        filters(w.dims[0]),
        depth(w.dims[1]),
        rows(w.dims[2]),
        columns(w.dims[3]),
        outHeight(y.dims[2]),
        outWidth(y.dims[3]),
        pre(convolution.integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)),
        stride(convolution.integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)),
        dilation(convolution.integers(CUDNN_ATTR_CONVOLUTION_DILATIONS)) {}
};

/// Calls visit(x, w, y) for each filter tap of each output value that lies inside the image: positions in channels-last order, x
/// and w of the first of `depth` channels.
template <typename Visit>
void for_each_tap(const Geometry& g, Visit visit) {
  const std::int64_t filtersPerGroup = g.filters / (g.channels / g.depth);
  std::int64_t y = 0;
  for (std::int64_t n = 0; n < g.images; ++n)
    for (std::int64_t p = 0; p < g.outHeight; ++p)
      for (std::int64_t q = 0; q < g.outWidth; ++q)
        for (std::int64_t k = 0; k < g.filters; ++k, ++y) {
          const std::int64_t firstChannel = k / filtersPerGroup * g.depth;
          for (std::int64_t r = 0; r < g.rows; ++r) {
            const std::int64_t h = p * g.stride[0] + r * g.dilation[0] - g.pre[0];
            if (h < 0 || h >= g.height) continue;
            for (std::int64_t s = 0; s < g.columns; ++s) {
              const std::int64_t w = q * g.stride[1] + s * g.dilation[1] - g.pre[1];
              if (w < 0 || w >= g.width) continue;
              visit(((n * g.height + h) * g.width + w) * g.channels + firstChannel, ((k * g.rows + r) * g.columns + s) * g.depth,
                    y);
            }
          }
        }
}

std::vector<double> zeros(const Tensor& tensor) { return std::vector<double>(static_cast<std::size_t>(tensor.elements())); }

}  // namespace

void run_convolution_forward(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const Tensor& x = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
  const Tensor& w = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
  const Tensor& y = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
  const Geometry g(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC), x, w, y);
  const std::vector<double> image = memory.load(x.uid).data, filter = memory.load(w.uid).data;
  std::vector<double> response = zeros(y);
  for_each_tap(g, [&](std::int64_t xAt, std::int64_t wAt, std::int64_t yAt) {
    double sum = 0;
    for (std::int64_t c = 0; c < g.depth; ++c) sum += image.data()[xAt + c] * filter.data()[wAt + c];
    response.data()[yAt] += sum;
  });
  memory.store(y.uid, response);
}

void run_convolution_backward_data(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const Tensor& dx = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
  const Tensor& w = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
  const Tensor& dy = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
  const Geometry g(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC), dx, w, dy);
  const std::vector<double> filter = memory.load(w.uid).data, response = memory.load(dy.uid).data;
  std::vector<double> image = zeros(dx);
  for_each_tap(g, [&](std::int64_t xAt, std::int64_t wAt, std::int64_t yAt) {
    const double gradient = response.data()[yAt];
    for (std::int64_t c = 0; c < g.depth; ++c) image.data()[xAt + c] += gradient * filter.data()[wAt + c];
  });
  memory.store(dx.uid, image);
}

void run_convolution_backward_filter(const Graph& graph, const Operation& operation, Memory& memory) {
  const Object& op = *operation.descriptor;
  const Tensor& x = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X);
  const Tensor& dw = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
  const Tensor& dy = graph.tensor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
  const Geometry g(*op.child(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC), x, dw, dy);
  const std::vector<double> image = memory.load(x.uid).data, response = memory.load(dy.uid).data;
  std::vector<double> filter = zeros(dw);
  for_each_tap(g, [&](std::int64_t xAt, std::int64_t wAt, std::int64_t yAt) {
    const double gradient = response.data()[yAt];
    for (std::int64_t c = 0; c < g.depth; ++c) filter.data()[wAt + c] += gradient * image.data()[xAt + c];
  });
  memory.store(dw.uid, filter);
}

}  // namespace simulated_cudnn
