// Blocks of bytes on their way between host and device while launches run. Backends whose memory is the host's have none.
#pragma once

#include <cstddef>
#include <vector>

namespace eraserelu {

/// Memory of the device.
struct Extent {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// Carries blocks, one after the other, into the same extents. A block is all their bytes, one extent behind the other.
class Inlet {
 public:
  virtual ~Inlet() = default;

  /// Whether a block was sent and not received yet: nothing more can be sent then.
  virtual bool full() const = 0;

  /// Where the host writes the next block. Waits until the block that was there has left.
  virtual std::byte* begin() = 0;
  /// Begins to carry that block to the device, beside what runs there.
  virtual void send() = 0;
  /// Launches that follow find the block that was sent in the extents; launches before still find the one before.
  virtual void receive() = 0;
};

/// Carries blocks to the host. At most two may be on the way.
class Outlet {
 public:
  virtual ~Outlet() = default;

  /// Takes the bytes of the extents as the launches so far leave them.
  virtual void send(const std::vector<Extent>& extents) = 0;
  /// Whether the oldest block on the way is there. Does not wait.
  virtual bool arrived() = 0;
  /// The oldest block on the way, one extent behind the other; waits for it. Stays until the send after the next.
  virtual const std::byte* receive() = 0;
};

}  // namespace eraserelu
