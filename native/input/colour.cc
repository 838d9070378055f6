#include "input/colour.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/philox.h"

namespace eraserelu {

namespace {

constexpr int kBits = 18;

/// fb.resnet.torch's datasets/imagenet.lua: eigenvalues of the colours of ImageNet, and eigenvectors in columns.
constexpr double kEigenvalues[3] = {0.2175, 0.0188, 0.0045};
constexpr double kEigenvectors[3][3] = {{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}};

constexpr double kGrey[3] = {0.299, 0.587, 0.114};

double fraction(std::uint32_t word) { return word * (1.0 / 4294967296.0); }
double factor(std::uint32_t word, double strength) { return 1 + strength * (2 * fraction(word) - 1); }

/// Three standard normal numbers of four words (Box and Muller).
std::array<double, 3> normals(const Philox4& words) {
  constexpr double tau = 6.283185307179586;
  const auto radius = [](std::uint32_t word) { return std::sqrt(-2 * std::log((word + 1.0) * (1.0 / 4294967296.0))); };
  const double first = radius(words.word[0]), angle = tau * fraction(words.word[1]);
  return {first * std::cos(angle), first * std::sin(angle), radius(words.word[2]) * std::cos(tau * fraction(words.word[3]))};
}

/// y = matrix · x + offset of each pixel.
struct Affine {
  double matrix[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  double offset[3] = {0, 0, 0};
};

double mean_grey(const std::uint8_t* pixels, std::size_t count) {
  double sum = 0;
  constexpr std::size_t block = 1 << 16;   // whose sums fit 32 bits
  for (std::size_t begin = 0; begin < count; begin += block) {
    const std::size_t end = std::min(count, begin + block);
    std::uint32_t red = 0, green = 0, blue = 0;
    for (std::size_t i = begin; i < end; ++i) {
      red += pixels[3 * i];
      green += pixels[3 * i + 1];
      blue += pixels[3 * i + 2];
    }
    sum += kGrey[0] * red + kGrey[1] * green + kGrey[2] * blue;
  }
  return sum / static_cast<double>(count);
}

/// Brightness v·b, contrast v·c + (1 - c)·mean and saturation v·s + (1 - s)·grey, with grey the luminance of the pixel and mean that of
/// the image, are taken one after the other without bounds. Then their order changes nothing: scaling by b scales the mean too,
/// and saturation leaves the luminance as it is. So all three are one affine map, and the recipe's random order needs no numbers.
Affine choose(const ColourRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, const std::uint8_t* pixels, std::size_t count) {
  Affine map;
  const Philox4 words = philox_block(seed, epoch, kImageColourStream, 2 * index);
  const double b = factor(words.word[0], rule.brightness), c = factor(words.word[1], rule.contrast), s = factor(words.word[2], rule.saturation);
  const double mean = rule.contrast > 0 ? mean_grey(pixels, count) : 0;
  for (int to = 0; to < 3; ++to) {
    for (int from = 0; from < 3; ++from) map.matrix[to][from] = b * c * ((to == from ? s : 0) + (1 - s) * kGrey[from]);
    map.offset[to] = b * (1 - c) * mean;
  }
  if (rule.lighting > 0) {
    const std::array<double, 3> shares = normals(philox_block(seed, epoch, kImageColourStream, 2 * index + 1));
    for (int to = 0; to < 3; ++to)
      for (std::size_t k = 0; k < 3; ++k) map.offset[to] += 255 * rule.lighting * shares[k] * kEigenvalues[k] * kEigenvectors[to][k];
  }
  return map;
}

std::int32_t fixed(double value) { return static_cast<std::int32_t>(std::lround(std::ldexp(value, kBits))); }

}  // namespace

void change_colours(const ColourRule& rule, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint8_t* pixels, std::size_t count) {
  const Affine map = choose(rule, seed, epoch, index, pixels, count);
  std::int32_t matrix[3][3], offset[3];
  for (int to = 0; to < 3; ++to) {
    for (int from = 0; from < 3; ++from) matrix[to][from] = fixed(map.matrix[to][from]);
    offset[to] = fixed(std::clamp(map.offset[to], -1020.0, 1020.0) + 0.5);   // further away all is black or white in any case
  }
  // In runs, a colour after the other, which the compiler turns into vectors.
  constexpr std::size_t kRun = 64;
  std::int32_t source[3][kRun] = {};
  std::uint8_t result[3][kRun];
  for (std::size_t begin = 0; begin < count; begin += kRun) {
    const std::size_t length = std::min(kRun, count - begin);
    std::uint8_t* run = pixels + 3 * begin;
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t c = 0; c < 3; ++c) source[c][i] = run[3 * i + c];
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < kRun; ++i) {
        const std::int32_t sum = offset[c] + matrix[c][0] * source[0][i] + matrix[c][1] * source[1][i] + matrix[c][2] * source[2][i];
        result[c][i] = static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
      }
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t c = 0; c < 3; ++c) run[3 * i + c] = result[c][i];
  }
}

}  // namespace eraserelu
