#include "input/encode_jpeg.h"

#include <cstdio>   // before jpeglib.h, which needs it

#include <jpeglib.h>

#include <jerror.h>

#include <csetjmp>
#include <cstdlib>

#include "base/error.h"

namespace eraserelu {

namespace {

/// Its fatal errors come by longjmp: between setjmp and the library there is nothing to destroy.
class Compressor {
 public:
  Compressor() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr common) { std::longjmp(static_cast<Compressor*>(common->client_data)->jump_, 1); };
    errors_.output_message = [](j_common_ptr) {};
  }
  ~Compressor() {
    jpeg_destroy_compress(&info_);
    std::free(bytes_);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void encode(const std::uint8_t* pixels, int height, int width, int quality) {
    if (setjmp(jump_) != 0) throw_message();
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &bytes_, &size_);
    info_.image_height = static_cast<JDIMENSION>(height);
    info_.image_width = static_cast<JDIMENSION>(width);
    info_.input_components = 3;
    info_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    info_.dct_method = JDCT_ISLOW;
    jpeg_start_compress(&info_, TRUE);
    while (info_.next_scanline < info_.image_height) {
      auto* row = const_cast<JSAMPROW>(pixels + std::size_t{3} * info_.next_scanline * info_.image_width);
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
  }

  std::vector<std::uint8_t> bytes() const { return std::vector<std::uint8_t>(bytes_, bytes_ + size_); }

 private:
  [[noreturn]] void throw_message() {
    char message[JMSG_LENGTH_MAX];
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), message);
    const ErrorCode code = errors_.msg_code == JERR_OUT_OF_MEMORY ? ErrorCode::OutOfMemory : ErrorCode::Unsupported;
    fail(code, "it cannot be written as a JPEG: ", message);
  }

  jpeg_compress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_;
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const std::uint8_t* pixels, int height, int width, int quality) {
  Compressor compressor;
  compressor.encode(pixels, height, width, quality);
  return compressor.bytes();
}

}  // namespace eraserelu
