#include "plan/input_queue.h"

#include <algorithm>

#include "base/error.h"

namespace eraserelu {

void InputQueue::open(const std::vector<Extent>& destinations) {
  destinations_ = destinations;
  std::size_t bytes = 0;
  for (const Extent& extent : destinations) bytes += extent.bytes;
  if (bytes > 0) inlet_ = backend_.inlet(destinations);
}

void InputQueue::stage(std::uint64_t id, HostBlock block) {
  staged_.push_back({id, std::move(block), false, nullptr});
  send_oldest();
}

void InputQueue::take(std::uint64_t id) {
  const auto is_asked_for = [&](const Staged& each) { return each.id == id; };
  if (std::none_of(staged_.begin(), staged_.end(), is_asked_for))
    fail(ErrorCode::InvalidArgument, "these staged inputs are gone: a run took them, or others that were staged later");
  while (staged_.front().id != id) drop_oldest();
  Staged& block = staged_.front();
  if (block.error) {
    const std::exception_ptr error = block.error;
    staged_.pop_front();
    std::rethrow_exception(error);
  }
  if (!inlet_) {
    give(block.block);
  } else {
    if (!block.sent) send(block.block);
    block.sent = true;
    inlet_->receive();
  }
  staged_.pop_front();
  send_oldest();
}

void InputQueue::give(const HostBlock& block) {
  if (!inlet_) {
    for (std::size_t i = 0; i < destinations_.size(); ++i)
      backend_.upload(destinations_[i].data, block[i].data, destinations_[i].bytes);
    return;
  }
  if (!staged_.empty()) staged_.front().sent = false;
  send(block);
  inlet_->receive();
  send_oldest();
}

void InputQueue::send(const HostBlock& block) {
  if (inlet_->full()) inlet_->receive();   // a block that nobody took
  std::byte* to = inlet_->begin();
  for (const HostBytes& bytes : block) to = std::copy(bytes.data, bytes.data + bytes.size, to);
  inlet_->send();
}

void InputQueue::send_oldest() noexcept {
  if (!inlet_ || inlet_->full() || staged_.empty()) return;
  try {
    send(staged_.front().block);
    staged_.front().sent = true;
  } catch (...) {
    staged_.front().error = std::current_exception();
  }
}

void InputQueue::drop_oldest() {
  if (staged_.front().sent) inlet_->receive();
  staged_.pop_front();
}

}  // namespace eraserelu
