// What of an image becomes the output: the pixels that are read along each axis, and where each output pixel looks.
#pragma once

#include <cstdint>

namespace eraserelu {

/// One axis of a resize as Pillow does it: of `total` output pixels that divide [box_begin, box_end) evenly, those from `first` on, `count`
/// in number. Only the `size` pixels from `begin` on exist; the box counts from `begin`.
struct AxisView {
  int begin = 0;
  int size = 0;
  double box_begin = 0;
  double box_end = 0;
  int total = 0;
  int first = 0;
  int count = 0;
};

struct View {
  AxisView y;
  AxisView x;
  bool flip = false;   // left to right, after the resize
};

/// How views are chosen; lengths in pixels.
struct ViewRule {
  int height = 0;   // of the output
  int width = 0;
  /// True: torchvision's RandomResizedCrop. False: the shorter side is resized to `resize` and the centre is taken.
  bool random = false;
  double min_scale = 0.08, max_scale = 1;            // share of the image's area
  double min_ratio = 3.0 / 4, max_ratio = 4.0 / 3;   // width / height
  bool flip = false;                                 // with probability 1/2
  int resize = 0;                                    // at least height and width
};

/// Operation number of the random choices below; src/runtime/philox.ts lists it with the others.
constexpr std::uint32_t kImageViewStream = 0xFFFFFF03u;

/// The view of image number `index` in an epoch: a function of the arguments alone.
View choose_view(const ViewRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, int height, int width);

}  // namespace eraserelu
