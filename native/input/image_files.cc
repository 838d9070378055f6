#include "input/image_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "input/crc32c.h"

namespace eraserelu {

namespace {

[[noreturn]] void fail_with_errno() {
  fail(ErrorCode::InvalidArgument, "it cannot be read: ", std::generic_category().message(errno));
}

class OpenFile {
 public:
  /// O_NONBLOCK: a named pipe, which is refused below, would wait for its other end.
  explicit OpenFile(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) fail_with_errno();
  }
  ~OpenFile() { close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::size_t size() const {
    struct stat status;
    if (fstat(descriptor_, &status) != 0) fail_with_errno();
    if (!S_ISREG(status.st_mode)) fail(ErrorCode::InvalidArgument, "it is not a file");
    return static_cast<std::size_t>(status.st_size);
  }

  /// Fewer bytes than asked for: the file ends there.
  std::size_t read(std::uint8_t* to, std::size_t count, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = pread(descriptor_, to + done, count - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail_with_errno();
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  int descriptor_;
};

}  // namespace

NameList::NameList(std::string joined) : joined_(std::move(joined)) {
  for (std::size_t start = 0; start < joined_.size();) {
    starts_.push_back(start);
    const std::size_t end = joined_.find('\0', start);
    check(end != std::string::npos, "a name has no end");
    start = end + 1;
  }
}

ImageFiles::ImageFiles(std::string root, NameList files, std::vector<std::int32_t> labels)
    : root_(std::move(root)), files_(std::move(files)), labels_(std::move(labels)), names_(""), checked_(false) {
  check(files_.size() == labels_.size(), files_.size(), " files for ", labels_.size(), " labels");
}

ImageFiles::ImageFiles(std::string root, NameList files, std::vector<std::int32_t> labels, std::vector<ImagePiece> pieces, NameList names,
                       bool checked)
    : root_(std::move(root)), files_(std::move(files)), labels_(std::move(labels)), pieces_(std::move(pieces)), names_(std::move(names)),
      checked_(checked) {
  check(pieces_.size() == labels_.size() && names_.size() == labels_.size(), pieces_.size(), " pieces and ", names_.size(), " names for ",
        labels_.size(), " labels");
  for (const ImagePiece& piece : pieces_) check(piece.file < files_.size(), "there is no file ", piece.file);
}

std::string ImageFiles::where(std::size_t index) const {
  if (pieces_.empty()) return path(index);
  const ImagePiece& piece = pieces_[index];
  return path(piece.file) + ", byte " + std::to_string(piece.offset) + " (" + names_[index] + ')';
}

void ImageFiles::read(std::size_t index, std::vector<std::uint8_t>& bytes) const {
  if (pieces_.empty()) {
    const OpenFile file(path(index));
    bytes.resize(file.size());
    bytes.resize(file.read(bytes.data(), bytes.size(), 0));
    return;
  }
  const ImagePiece& piece = pieces_[index];
  const OpenFile file(path(piece.file));
  const std::size_t size = file.size();
  bytes.resize(piece.offset <= size && piece.length <= size - piece.offset ? piece.length : 0);
  if (bytes.size() < piece.length || file.read(bytes.data(), bytes.size(), piece.offset) < piece.length)
    fail(ErrorCode::InvalidArgument, "the file became shorter: ", piece.length, " bytes are expected there");
  if (checked_ && crc32c(bytes.data(), bytes.size()) != piece.checksum)
    fail(ErrorCode::InvalidArgument, "damaged: the bytes do not have the checksum that was stored with them");
}

}  // namespace eraserelu
