// The store: flat f32 arenas with the canonical parameters ("weights"), their moving average ("ema"), optimizer state and
// the update state. Several plans may be bound to one store; only the update section writes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "backend/backend.h"

namespace eraserelu {

class Store {
 public:
  explicit Store(Backend& backend) : backend_(backend) {}
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Backend& backend() { return backend_; }

  /// Makes an arena of f32 elements, all zero. A second call with the same size does nothing; another size is an error.
  void define(const std::string& arena, std::int64_t elements);

  float* arena(const std::string& name);           // throws InvalidArgument
  std::int64_t elements(const std::string& name);

  void read(const std::string& arena, std::int64_t offset, float* host, std::int64_t count);
  void write(const std::string& arena, std::int64_t offset, const float* host, std::int64_t count);

  /// Grows with every change of an arena: packed copies made under another version are stale.
  std::uint64_t version() const { return version_; }
  void changed() { ++version_; }

  std::size_t bytes() const;

 private:
  struct Arena {
    float* data = nullptr;
    std::int64_t elements = 0;
  };
  Arena& find(const std::string& name);

  Backend& backend_;
  std::map<std::string, Arena> arenas_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace eraserelu
