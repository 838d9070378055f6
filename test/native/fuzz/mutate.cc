// A plain driver for where there is no libFuzzer: gives the target damaged copies of files. mutate COUNT SEED FILE...
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

using File = std::vector<std::uint8_t>;

namespace {

/// Cuts, repeats, overwrites or joins, one to four times.
File damaged(const std::vector<File>& seeds, std::mt19937& draw) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : draw() % limit; };
  File file = seeds[below(seeds.size())];
  for (std::size_t times = 1 + below(4); times > 0; --times) {
    const std::size_t at = below(file.size());
    const std::size_t length = std::min(1 + below(16), file.size() - at);
    switch (below(5)) {
      case 0: file.resize(at); break;
      case 1: file.erase(file.begin() + at, file.begin() + at + length); break;
      case 2: file.insert(file.begin() + at, length, static_cast<std::uint8_t>(draw())); break;
      case 3: {
        const File& other = seeds[below(seeds.size())];
        file.resize(at);
        file.insert(file.end(), other.begin() + below(other.size()), other.end());
        break;
      }
      default:
        for (std::size_t i = 0; i < length; ++i) file[at + i] = static_cast<std::uint8_t>(below(3) == 0 ? 0xFF : draw());
    }
  }
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "mutate COUNT SEED FILE...\n"), 2;
  std::vector<File> seeds;
  for (int i = 3; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (seeds.back().empty()) return std::fprintf(stderr, "%s cannot be read\n", argv[i]), 2;
  }
  const long count = std::atol(argv[1]);
  std::mt19937 draw(static_cast<std::uint32_t>(std::atol(argv[2])));
  for (long i = 0; i < count; ++i) {
    const File file = damaged(seeds, draw);
    LLVMFuzzerTestOneInput(file.data(), file.size());
  }
  std::printf("%ld files\n", count);
}
