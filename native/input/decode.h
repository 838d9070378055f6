// Decodes JPEG, PNG and PPM files into one view of them, 8-bit RGB. What is wrong with a file is thrown as an Error (InvalidArgument, or
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

/// What of an image is wanted, and where it goes: [y.count, x.count, 3].
struct Wanted {
  View view;
  std::uint8_t* output;
};

/// Given the size of the image.
using Choose = std::function<Wanted(int height, int width)>;

/// Where `stop` is set meanwhile, it ends with an Error (Aborted): a JPEG before the next row that is wanted, a PNG when it has been
/// unpacked.
void decode_image(Bytes file, const Choose& choose, const std::atomic<bool>& stop);

void decode_jpeg(Bytes file, const Choose& choose, const std::atomic<bool>& stop);
void decode_png(Bytes file, const Choose& choose, const std::atomic<bool>& stop);
void decode_ppm(Bytes file, const Choose& choose);

[[noreturn]] void fail_stopped();

/// Throws for an image that would take gigabytes to decode; the limit is where Pillow stops.
void check_pixels(std::uint64_t height, std::uint64_t width);

}  // namespace eraserelu
