// A list of image files with their classes, and reading one of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eraserelu {

class ImageFiles {
 public:
  /// `names`: relative to `root`, each followed by a zero byte. As many labels.
  ImageFiles(std::string root, std::string names, std::vector<std::int32_t> labels);

  std::size_t size() const { return labels_.size(); }
  std::int32_t label(std::size_t index) const { return labels_[index]; }
  std::string path(std::size_t index) const;

  /// The bytes of a file, into `bytes`. Throws an Error that says what the system said.
  void read(std::size_t index, std::vector<std::uint8_t>& bytes) const;

 private:
  std::string root_;
  std::string names_;
  std::vector<std::size_t> starts_;   // in names_
  std::vector<std::int32_t> labels_;
};

}  // namespace eraserelu
