// The order of what a GPU leaves open (streams, nodes of a graph, blocks, threads), by the environment variable SIM_ORDER:
// 0 forward, 1 backward, any other number the seed of a shuffle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <random>

namespace simulated_cuda {

enum class Order { forward, backward, shuffled };

inline unsigned long order_number() {
  static const char* const text = std::getenv("SIM_ORDER");
  static const unsigned long number = text == nullptr ? 0 : std::strtoul(text, nullptr, 10);
  return number;
}

inline Order order() { return order_number() == 0 ? Order::forward : order_number() == 1 ? Order::backward : Order::shuffled; }

inline std::mt19937& shuffle_engine() {
  static std::mt19937 engine(static_cast<std::mt19937::result_type>(order_number()));
  return engine;
}

/// A number below n.
inline std::size_t random_below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(shuffle_engine()); }

template <typename Iterator>
void arrange(Iterator begin, Iterator end) {
  if (order() == Order::backward) std::reverse(begin, end);
  if (order() == Order::shuffled) std::shuffle(begin, end, shuffle_engine());
}

}  // namespace simulated_cuda
