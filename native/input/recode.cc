#include "input/recode.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <thread>

#include "input/crc32c.h"
#include "input/decode.h"
#include "input/encode_jpeg.h"

namespace eraserelu {

namespace {

AxisView whole(int size, int output) { return {0, size, 0, static_cast<double>(size), output, 0, output}; }

/// As torchvision's Resize: the longer side is cut off to an integer.
int resized(int side, int shorter_side, int shorter) {
  if (shorter == 0 || shorter_side <= shorter) return side;
  return static_cast<int>(static_cast<std::int64_t>(side) * shorter / shorter_side);
}

void recode_one(const ImageFiles& files, std::size_t index, const RecodeRule& rule, const std::atomic<bool>& stop, Recoded& result) {
  std::vector<std::uint8_t> bytes, pixels;
  files.read(index, bytes);
  int height = 1, width = 1;   // of the output
  const auto choose = [&](int h, int w) {
    result.height = h;
    result.width = w;
    if (rule.format != RecodeRule::Format::Keep) {
      height = resized(h, std::min(h, w), rule.shorter);
      width = resized(w, std::min(h, w), rule.shorter);
    }
    pixels.resize(std::size_t{3} * static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
    return Wanted{{whole(h, height), whole(w, width), false}, pixels.data()};
  };
  decode_image({bytes.data(), bytes.size()}, choose, stop);
  switch (rule.format) {
    case RecodeRule::Format::Keep: result.bytes = std::move(bytes); break;
    case RecodeRule::Format::Jpeg: result.bytes = encode_jpeg(pixels.data(), height, width, rule.quality); break;
    case RecodeRule::Format::Raw: {
      const std::string header = "P6\n" + std::to_string(width) + ' ' + std::to_string(height) + "\n255\n";
      result.bytes.assign(header.begin(), header.end());
      result.bytes.insert(result.bytes.end(), pixels.begin(), pixels.end());
    }
  }
  result.checksum = crc32c(result.bytes.data(), result.bytes.size());
}

}  // namespace

std::vector<Recoded> recode(const ImageFiles& files, const std::vector<std::int32_t>& indices, const RecodeRule& rule, std::size_t threads,
                            const std::atomic<bool>& stop) {
  std::vector<Recoded> results(indices.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < indices.size() && !stop; i = next++) {
      const auto index = static_cast<std::size_t>(indices[i]);
      try {
        recode_one(files, index, rule, stop, results[i]);
      } catch (const Error& error) {
        results[i].fault = Error(error.code(), files.where(index) + ": " + error.what());
      } catch (const std::exception& error) {   // such as no memory
        results[i].fault = Error(ErrorCode::OutOfMemory, files.where(index) + ": " + error.what());
      }
    }
  };
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(threads, indices.size())) others.emplace_back(work);
  } catch (const std::system_error&) {
    // Those that could be started do it all.
  }
  work();
  for (std::thread& thread : others) thread.join();
  if (stop) fail_stopped();
  return results;
}

}  // namespace eraserelu
