#include "plan/store.h"

#include "base/error.h"

namespace eraserelu {

Store::~Store() {
  for (auto& [name, arena] : arenas_) backend_.release(arena.data);
}

void Store::define(const std::string& name, std::int64_t elements) {
  auto found = arenas_.find(name);
  if (found != arenas_.end()) {
    check(found->second.elements == elements, "store: arena '", name, "' has ", found->second.elements, " elements, not ", elements);
    return;
  }
  const std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(float);
  float* data = static_cast<float*>(backend_.allocate(bytes));
  arenas_[name] = Arena{data, elements};   // first, so that it is released where filling fails
  backend_.fill(data, 0, bytes);
}

Store::Arena& Store::find(const std::string& name) {
  auto found = arenas_.find(name);
  if (found == arenas_.end()) fail(ErrorCode::InvalidArgument, "store: there is no arena '", name, "'");
  return found->second;
}

float* Store::arena(const std::string& name) { return find(name).data; }
std::int64_t Store::elements(const std::string& name) { return find(name).elements; }

namespace {
void check_range(const std::string& name, std::int64_t size, std::int64_t offset, std::int64_t count) {
  if (offset < 0 || count < 0 || offset + count > size)
    fail(ErrorCode::InvalidArgument, "store: elements ", offset, " … ", offset + count, " are outside arena '", name, "' of ", size);
}
}  // namespace

void Store::read(const std::string& name, std::int64_t offset, float* host, std::int64_t count) {
  Arena& arena = find(name);
  check_range(name, arena.elements, offset, count);
  backend_.download(host, arena.data + offset, static_cast<std::size_t>(count) * sizeof(float));
}

void Store::write(const std::string& name, std::int64_t offset, const float* host, std::int64_t count) {
  Arena& arena = find(name);
  check_range(name, arena.elements, offset, count);
  backend_.upload(arena.data + offset, host, static_cast<std::size_t>(count) * sizeof(float));
  changed();
}

std::size_t Store::bytes() const {
  std::size_t total = 0;
  for (const auto& [name, arena] : arenas_) total += static_cast<std::size_t>(arena.elements) * sizeof(float);
  return total;
}

}  // namespace eraserelu
