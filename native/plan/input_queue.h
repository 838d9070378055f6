// Inputs of a plan on their way to the device. What is staged goes there while a run is under way, where the device has an inlet, and
// waits until a run takes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <vector>

#include "backend/backend.h"

namespace eraserelu {

/// The bytes of an input. They stay as they are, and `owner` keeps them, until they are on the device.
struct HostBytes {
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

/// Of every input, in the order of the extents.
using HostBlock = std::vector<HostBytes>;

class InputQueue {
 public:
  explicit InputQueue(Backend& backend) : backend_(backend) {}

  /// Says where blocks go; allocates what the device needs for that. Blocks may be staged before.
  void open(const std::vector<Extent>& destinations);

  /// `id`: larger than those before. An error on the way is thrown by the take of the same id.
  void stage(std::uint64_t id, HostBlock block);

  /// Launches that follow find the block that was staged under this id; those staged before it are dropped. Throws InvalidArgument
  /// when it is not there.
  void take(std::uint64_t id);

  /// Launches that follow find this block; what is staged stays.
  void give(const HostBlock& block);

 private:
  struct Staged {
    std::uint64_t id;
    HostBlock block;
    bool sent;   // to the inlet; only the oldest
    std::exception_ptr error;
  };

  void send(const HostBlock& block);
  void send_oldest() noexcept;
  void drop_oldest();

  Backend& backend_;
  std::vector<Extent> destinations_;
  std::unique_ptr<Inlet> inlet_;
  std::deque<Staged> staged_;
};

}  // namespace eraserelu
