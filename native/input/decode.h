// Decodes JPEG and PNG files into one view of them, 8-bit RGB. What is wrong with a file is thrown as an Error (InvalidArgument, or
// Unsupported for a kind of file that is not read) whose message does not name it: the caller knows where it is from.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "input/view.h"

namespace eraserelu {

struct Bytes {
  const std::uint8_t* data;
  std::size_t size;
};

/// Given the size of the image, what of it is wanted.
using ChooseView = std::function<View(int height, int width)>;

/// Writes [y.count, x.count, 3] of the view to `output`. Where `stop` is set meanwhile, it ends with an Error (Aborted): a JPEG before the
/// next row that is wanted, a PNG when it has been unpacked.
void decode_image(Bytes file, const ChooseView& choose, const std::atomic<bool>& stop, std::uint8_t* output);

void decode_jpeg(Bytes file, const ChooseView& choose, const std::atomic<bool>& stop, std::uint8_t* output);
void decode_png(Bytes file, const ChooseView& choose, const std::atomic<bool>& stop, std::uint8_t* output);

[[noreturn]] void fail_stopped();

/// Throws for an image that would take gigabytes to decode; the limit is where Pillow stops.
void check_pixels(std::uint64_t height, std::uint64_t width);

}  // namespace eraserelu
