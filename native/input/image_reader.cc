#include "input/image_reader.h"

#include <algorithm>
#include <cstring>
#include <system_error>

#include "input/decode.h"

namespace eraserelu {

ImageReader::ImageReader(std::shared_ptr<const ImageFiles> files, ReaderOptions options, std::function<void()> arrived)
    : files_(std::move(files)), options_(std::move(options)), arrived_(std::move(arrived)),
      batches_((options_.order.size() + options_.batch_size - 1) / options_.batch_size), slots_(options_.ring.size()),
      next_position_(options_.first_batch * options_.batch_size), next_batch_(options_.first_batch) {
  check(options_.ahead >= 1 && options_.ahead < options_.ring.size(), "a ring of ", options_.ring.size(), " for ", options_.ahead, " ahead");
  for (std::int32_t index : options_.order)
    check(index >= 0 && static_cast<std::size_t>(index) < files_->size(), "there is no image ", index);
  for (std::size_t batch = next_batch_; batch < std::min(batches_, next_batch_ + slots_.size()); ++batch)
    slot_of(batch).remaining = images_in(batch);
  try {
    for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    const std::size_t started = threads_.size();
    stop();
    fail(ErrorCode::Unsupported, "only ", started, " of ", options_.threads, " threads that decode images could be started (", error.what(),
         "): ask for fewer workers");
  }
}

ImageReader::~ImageReader() { stop(); }

void ImageReader::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::size_t ImageReader::images_in(std::size_t batch) const {
  return std::min(options_.batch_size, options_.order.size() - batch * options_.batch_size);
}

bool ImageReader::may_begin() const {
  return next_position_ < options_.order.size() && next_position_ / options_.batch_size < next_batch_ + options_.ahead;
}

void ImageReader::work() {
  std::vector<std::uint8_t> bytes;   // of a file, kept to be used again
  for (;;) {
    std::size_t position;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || may_begin(); });
      if (stopping_) return;
      position = next_position_++;
    }
    decode(position, bytes);
  }
}

void ImageReader::decode(std::size_t position, std::vector<std::uint8_t>& bytes) {
  const std::size_t batch = position / options_.batch_size, n = position % options_.batch_size;
  const auto index = static_cast<std::size_t>(options_.order[position]);
  const BatchPlace& place = options_.ring[batch % options_.ring.size()];
  const ViewRule& rule = options_.view;
  const std::size_t size = std::size_t{3} * static_cast<std::size_t>(rule.height) * static_cast<std::size_t>(rule.width);
  std::uint8_t* pixels = place.images + n * size;
  std::optional<Error> fault;
  try {
    files_->read(index, bytes);
    const auto choose = [&](int height, int width) {
      return Wanted{choose_view(rule, options_.seed, options_.epoch, index, height, width), pixels};
    };
    decode_image({bytes.data(), bytes.size()}, choose, stopping_);
    if (options_.colour.changes())
      change_colours(options_.colour, options_.seed, options_.epoch, index, pixels, size / 3);
    erase_rectangle(options_.erasing, options_.seed, options_.epoch, index, pixels, rule.height, rule.width);
    place.labels[n] = files_->label(index);
  } catch (const Error& error) {
    fault = Error(error.code(), files_->where(index) + ": " + error.what());
  } catch (const std::exception& error) {   // such as no memory
    fault = Error(ErrorCode::OutOfMemory, files_->where(index) + ": " + error.what());
  }
  if (stopping_) return;   // nobody takes it any more
  if (fault) {
    std::memset(pixels, 0, size);
    place.labels[n] = -1;
  }
  bool arrived;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Slot& slot = slot_of(batch);
    if (fault) slot.faults.emplace_back(n, std::move(*fault));
    arrived = --slot.remaining == 0 && batch == next_batch_ && awaited_;
    if (arrived) awaited_ = false;
  }
  if (arrived) arrived_();
}

std::optional<ReadBatch> ImageReader::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  check(next_batch_ < batches_, "no batch is left");
  if (slot_of(next_batch_).remaining > 0) {
    awaited_ = true;
    return std::nullopt;
  }
  const std::size_t batch = next_batch_;
  ReadBatch result = finished(batch);
  ++next_batch_;
  if (batch + slots_.size() < batches_) slot_of(batch).remaining = images_in(batch + slots_.size());
  lock.unlock();
  changed_.notify_all();
  return result;
}

ReadBatch ImageReader::finished(std::size_t batch) {
  Slot& slot = slot_of(batch);
  std::vector<std::pair<std::size_t, Error>> faults;
  faults.swap(slot.faults);
  std::sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::size_t images = images_in(batch);
  ReadBatch result{batch % slots_.size(), images - faults.size(), {}};
  for (const auto& [n, error] : faults) {
    // Too little memory is no fault of the file.
    if (error.code() == ErrorCode::OutOfMemory || ++faulty_ > options_.max_faulty) throw error;
    result.faults.emplace_back(error.what());
  }
  const BatchPlace& place = options_.ring[result.place];
  const std::size_t size = std::size_t{3} * static_cast<std::size_t>(options_.view.height) * static_cast<std::size_t>(options_.view.width);
  std::memset(place.images + images * size, 0, (options_.batch_size - images) * size);
  std::fill(place.labels + images, place.labels + options_.batch_size, -1);
  return result;
}

}  // namespace eraserelu
