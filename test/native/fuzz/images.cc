// An image file may be made of any bytes. Decodes them into a view such as training and evaluation have; libFuzzer calls it, or mutate.cc.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "input/decode.h"
#include "input/view.h"

using namespace eraserelu;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The last bytes choose the view, so that the others stay a file.
  std::uint64_t choice = 0;
  std::memcpy(&choice, data + size - std::min<std::size_t>(size, 4), std::min<std::size_t>(size, 4));
  ViewRule rule;
  rule.height = 1 + static_cast<int>(choice % 40);
  rule.width = 1 + static_cast<int>(choice / 40 % 40);
  rule.random = choice & 1;
  rule.flip = true;
  rule.resize = std::max(rule.height, rule.width) + static_cast<int>(choice / 1600 % 8);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rule.height) * rule.width * 3);
  const std::atomic<bool> stop{false};
  const Choose choose = [&](int height, int width) {
    return Wanted{choose_view(rule, 1, 2, choice, height, width), pixels.data()};
  };
  try {
    decode_image({data, size}, choose, stop);
  } catch (const Error&) {
    // A file that is refused, with a reason.
  }
  return 0;
}
