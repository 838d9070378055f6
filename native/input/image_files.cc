#include "input/image_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"

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
  std::size_t read(std::uint8_t* to, std::size_t count) const {
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::read(descriptor_, to + done, count - done);
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

ImageFiles::ImageFiles(std::string root, std::string names, std::vector<std::int32_t> labels)
    : root_(std::move(root)), names_(std::move(names)), labels_(std::move(labels)) {
  for (std::size_t start = 0; start < names_.size();) {
    starts_.push_back(start);
    const std::size_t end = names_.find('\0', start);
    check(end != std::string::npos, "a file name has no end");
    start = end + 1;
  }
  check(starts_.size() == labels_.size(), starts_.size(), " file names for ", labels_.size(), " labels");
}

std::string ImageFiles::path(std::size_t index) const { return root_ + '/' + (names_.c_str() + starts_[index]); }

void ImageFiles::read(std::size_t index, std::vector<std::uint8_t>& bytes) const {
  const OpenFile file(path(index));
  bytes.resize(file.size());
  bytes.resize(file.read(bytes.data(), bytes.size()));
}

}  // namespace eraserelu
