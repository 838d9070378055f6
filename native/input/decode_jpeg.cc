// JPEG through libjpeg-turbo. Only the rows and columns that the view looks at are decoded, and nothing after the last of them.
#include <cstdio>   // before jpeglib.h, which needs it

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "input/decode.h"
#include "input/resample.h"

namespace eraserelu {

namespace {

/// A decompressor whose fatal errors come as exceptions. libjpeg reports them by longjmp: so between `guarded` and the library there is
/// nothing to destroy.
class Decompressor {
 public:
  /// `stop`: where it is set, the calls end with an Error.
  explicit Decompressor(const std::atomic<bool>& stop) : stop_(stop) {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = [](j_common_ptr common) { std::longjmp(self(common).jump_, kError); };
    errors_.emit_message = [](j_common_ptr common, int level) {
      if (level < 0 && common->err->msg_code == JWRN_JPEG_EOF) self(common).ended_early = true;
    };
    errors_.output_message = [](j_common_ptr) {};
    // Called before every row and, while the scans of a progressive file are read, for every row of blocks. Nobody needs so many scans: a
    // small file with thousands of them would keep the decoder busy for hours.
    progress_.progress_monitor = [](j_common_ptr common) {
      if (self(common).stop_) std::longjmp(self(common).jump_, kStopped);
      if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number > 500) std::longjmp(self(common).jump_, kTooManyScans);
    };
    guarded([this] {
      jpeg_create_decompress(&info);
      info.progress = &progress_;
    });
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// `calls` may hold calls of the library and plain data only.
  template <typename Calls>
  void guarded(Calls calls) {
    const int problem = setjmp(jump_);
    if (problem == kStopped) fail_stopped();
    if (problem == kTooManyScans) fail(ErrorCode::InvalidArgument, "not a valid JPEG: more than 500 scans");
    if (problem != 0) throw_message();
    calls();
  }

  jpeg_decompress_struct info{};
  bool ended_early = false;   // the file ended before the image did

 private:
  static constexpr int kError = 1;
  static constexpr int kTooManyScans = 2;
  static constexpr int kStopped = 3;

  static Decompressor& self(j_common_ptr common) { return *static_cast<Decompressor*>(common->client_data); }

  [[noreturn]] void throw_message() {
    char message[JMSG_LENGTH_MAX];
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info), message);
    if (errors_.msg_code == JERR_OUT_OF_MEMORY) fail(ErrorCode::OutOfMemory, message);
    fail(ErrorCode::InvalidArgument, "not a valid JPEG: ", message);
  }

  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  const std::atomic<bool>& stop_;
  std::jmp_buf jump_;
};

/// Whether what follows the header ends as a JPEG does, some bytes of padding aside. If not, it is decoded to its end, to see whether it
/// was cut off. A header may hold a thumbnail with an end of its own.
bool has_end(Bytes scan) {
  constexpr std::size_t padding = 4096;
  for (std::size_t i = scan.size; i >= 2 && scan.size - i <= padding; --i)
    if (scan.data[i - 2] == 0xFF && scan.data[i - 1] == JPEG_EOI) return true;
  return false;
}

/// As Pillow: CMYK files hold inverted values, and (255 - c)·(255 - k) / 255 is red.
void cmyk_to_rgb(std::uint8_t* row, std::size_t pixels) {
  for (std::uint8_t* pixel = row; pixel != row + 4 * pixels; pixel += 4) {
    const int light = pixel[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - pixel[c]) * light + 128;
      pixel[c] = static_cast<std::uint8_t>(light - ((product + (product >> 8)) >> 8));
    }
  }
}

/// libjpeg-turbo writes past the caches into a row that is aligned, and the resampler would wait for the memory to read it back.
constexpr std::size_t kUnaligned = 4;

class JpegView {
 public:
  JpegView(Bytes file, const Choose& choose, const std::atomic<bool>& stop) : jpeg_(stop) {
    jpeg_decompress_struct& info = jpeg_.info;
    jpeg_.guarded([&] {
      jpeg_mem_src(&info, file.data, static_cast<unsigned long>(file.size));
      jpeg_read_header(&info, TRUE);
    });
    scan_ = {info.src->next_input_byte, info.src->bytes_in_buffer};
    check_pixels(info.image_height, info.image_width);
    const int height = static_cast<int>(info.image_height), width = static_cast<int>(info.image_width);
    const Wanted wanted = choose(height, width);
    decode(Resampler(wanted.view, wanted.output));
    if (jpeg_.ended_early) fail(ErrorCode::InvalidArgument, "truncated: the file ends before the image does");
  }

 private:
  void decode(Resampler resampler) {
    jpeg_decompress_struct& info = jpeg_.info;
    const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    info.out_color_space = cmyk ? JCS_CMYK : JCS_EXT_RGBX;
    info.dct_method = JDCT_ISLOW;
    // The library cuts columns at blocks, and the colours of a pixel at a cut depend on the block beside it: hence a few more.
    constexpr int margin = 4;
    const int left = std::max(0, resampler.first_column() - margin);
    const int right = std::min(static_cast<int>(info.image_width), resampler.end_column() + margin);
    JDIMENSION offset = static_cast<JDIMENSION>(left), width = static_cast<JDIMENSION>(right - left);
    jpeg_.guarded([&] {
      jpeg_start_decompress(&info);
      if (width < info.output_width) jpeg_crop_scanline(&info, &offset, &width);
    });
    const std::size_t before = 4 * (static_cast<std::size_t>(resampler.first_column()) - offset);
    buffer_.resize(kUnaligned + std::max(4 * static_cast<std::size_t>(info.output_width), before + resampler.readable()));
    row_ = buffer_.data() + kUnaligned;
    const std::uint8_t* wanted = row_ + before;
    skip(static_cast<JDIMENSION>(resampler.first_row()));
    for (int y = resampler.first_row(); y < resampler.end_row(); ++y) {
      read_row();
      if (cmyk) cmyk_to_rgb(row_, info.output_width);
      resampler.push(wanted);
      if (jpeg_.ended_early) return;
    }
    if (has_end(scan_) || info.output_scanline == info.output_height) return;
    skip(info.output_height - info.output_scanline - 1);   // what is skipped at the very end is not looked at
    read_row();
  }

  void read_row() {
    jpeg_.guarded([&] { jpeg_read_scanlines(&jpeg_.info, &row_, 1); });
  }

  void skip(JDIMENSION rows) {
    if (rows > 0) jpeg_.guarded([&] { jpeg_skip_scanlines(&jpeg_.info, rows); });
  }

  Decompressor jpeg_;
  Bytes scan_{};   // the file after its header
  std::vector<std::uint8_t> buffer_;
  JSAMPROW row_ = nullptr;   // in the buffer
};

}  // namespace

void decode_jpeg(Bytes file, const Choose& choose, const std::atomic<bool>& stop) { JpegView(file, choose, stop); }

}  // namespace eraserelu
