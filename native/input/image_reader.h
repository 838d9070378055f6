// One pass over image files, in a given order: threads of its own decode them into a ring of batches ahead of the reader.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "input/colour.h"
#include "input/erase_rectangle.h"
#include "input/image_files.h"
#include "input/view.h"

namespace eraserelu {

/// Where a batch goes: images [B, height, width, 3] and labels [B].
struct BatchPlace {
  std::uint8_t* images;
  std::int32_t* labels;
};

struct ReaderOptions {
  ViewRule view;
  ColourRule colour;     // changes what is seen
  ErasingRule erasing;   // after that
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::vector<std::int32_t> order;   // of the files that are read
  std::size_t batch_size = 1;
  std::size_t first_batch = 0;   // those before are passed over
  std::vector<BatchPlace> ring;
  std::size_t ahead = 1;    // batches that may be decoded before they are asked for; as many of those taken stay as there are places beyond
  std::size_t threads = 1;
  std::size_t max_faulty = 0;   // files that are passed over before one stops the reader
};

/// An image that could not be read: its path and why.
using Fault = std::string;

/// A batch that is complete. Places that no image has, at the end of the last batch and for faulty files, are zero and have label -1.
struct ReadBatch {
  std::size_t place;   // in the ring
  std::size_t count;   // images with a label
  std::vector<Fault> faults;
};

/// The bytes of batch n are a function of files, view, colour, erasing, seed, epoch, order and n alone.
class ImageReader {
 public:
  /// `files` and what `ring` points to must outlive the reader. `arrived`: called from a thread of the reader, at most once for each
  /// batch that `take` said is not there yet.
  ImageReader(std::shared_ptr<const ImageFiles> files, ReaderOptions options, std::function<void()> arrived);
  ~ImageReader();

  std::size_t batches() const { return batches_; }

  /// The next batch; nothing when it is not there yet: then `arrived` is called when it is. Throws the Error of a file that stops the
  /// reader. Not to be called for more than batches() - first_batch batches.
  std::optional<ReadBatch> take();

  /// Stops the threads, also within an image (decode.h says where), and waits for them.
  void stop();

 private:
  struct Slot {
    std::size_t remaining = 0;
    std::vector<std::pair<std::size_t, Error>> faults;   // by place in the batch
  };

  void work();
  bool may_begin() const;
  void decode(std::size_t position, std::vector<std::uint8_t>& bytes);
  std::size_t images_in(std::size_t batch) const;
  Slot& slot_of(std::size_t batch) { return slots_[batch % slots_.size()]; }
  ReadBatch finished(std::size_t batch);

  const std::shared_ptr<const ImageFiles> files_;
  const ReaderOptions options_;
  const std::function<void()> arrived_;
  const std::size_t batches_;

  std::mutex mutex_;   // guards what follows
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::size_t next_position_;   // in the order: the image that is decoded next
  std::size_t next_batch_;      // the batch that is taken next
  std::size_t faulty_ = 0;
  bool awaited_ = false;   // `arrived` is owed
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};   // written under the mutex, and read by decoders without it
};

}  // namespace eraserelu
