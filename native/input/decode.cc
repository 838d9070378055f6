#include "input/decode.h"

#include <cstdio>
#include <cstring>
#include <string>

#include "base/error.h"

namespace eraserelu {

namespace {

bool begins_with(Bytes file, const char* magic, std::size_t size) { return file.size >= size && std::memcmp(file.data, magic, size) == 0; }

std::string first_bytes(Bytes file) {
  std::string text;
  for (std::size_t i = 0; i < file.size && i < 4; ++i) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%02x ", file.data[i]);
    text += hex;
  }
  text.pop_back();
  return text;
}

}  // namespace

void decode_image(Bytes file, const Choose& choose, const std::atomic<bool>& stop) {
  if (file.size == 0) fail(ErrorCode::InvalidArgument, "the file is empty");
  if (begins_with(file, "\xFF\xD8", 2)) return decode_jpeg(file, choose, stop);
  if (begins_with(file, "\x89PNG\r\n\x1A\n", 8)) return decode_png(file, choose, stop);
  if (begins_with(file, "P6", 2)) return decode_ppm(file, choose);
  fail(ErrorCode::Unsupported, "neither JPEG, PNG nor PPM (it begins with the bytes ", first_bytes(file), ")");
}

void fail_stopped() { fail(ErrorCode::Aborted, "the image reader was stopped"); }

void check_pixels(std::uint64_t height, std::uint64_t width) {
  constexpr std::uint64_t most = 178956970;
  if (height == 0 || width == 0) fail(ErrorCode::InvalidArgument, "the image has no pixels (", width, "x", height, ")");
  if (height > most / width) fail(ErrorCode::Unsupported, "the image has ", width, "x", height, " pixels; at most ", most, " are decoded");
}

}  // namespace eraserelu
