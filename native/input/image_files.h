// A list of images with their classes, each a file or a piece of one (a tar file, a shard), and reading one of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eraserelu {

/// Strings that follow one another, each ended by a zero byte.
class NameList {
 public:
  explicit NameList(std::string joined);

  std::size_t size() const { return starts_.size(); }
  const char* operator[](std::size_t index) const { return joined_.c_str() + starts_[index]; }

 private:
  std::string joined_;
  std::vector<std::size_t> starts_;
};

/// Where the bytes of an image lie.
struct ImagePiece {
  std::uint32_t file;
  std::uint64_t offset;
  std::uint64_t length;
  std::uint32_t checksum;   // CRC-32C
};

class ImageFiles {
 public:
  /// An image a file. `files`: relative to `root`.
  ImageFiles(std::string root, NameList files, std::vector<std::int32_t> labels);

  /// Images in pieces of files, with the names by which messages call them. `checked`: the checksums hold.
  ImageFiles(std::string root, NameList files, std::vector<std::int32_t> labels, std::vector<ImagePiece> pieces, NameList names, bool checked);

  std::size_t size() const { return labels_.size(); }
  std::int32_t label(std::size_t index) const { return labels_[index]; }

  /// For messages: the path of a file, or of the file that an image lies in, with its place there and its name.
  std::string where(std::size_t index) const;

  /// The bytes of an image, into `bytes`. Throws an Error that says what the system said.
  void read(std::size_t index, std::vector<std::uint8_t>& bytes) const;

 private:
  std::string path(std::size_t file) const { return root_ + '/' + files_[file]; }

  std::string root_;
  NameList files_;
  std::vector<std::int32_t> labels_;
  std::vector<ImagePiece> pieces_;   // empty: an image a file
  NameList names_;
  bool checked_;
};

}  // namespace eraserelu
