// Cases of the test programs. Each runs in a process of its own, so that it may die and may leave anything behind.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace harness {

struct Case {
  Case(const char* name, const char* last_words, void (*body)());
};

/// Fails the case that runs.
[[noreturn]] void fail(const char* file, int line, const std::string& message);

template <typename A, typename B>
void check_equal(const char* file, int line, const char* text, const A& actual, const B& expected) {
  if (actual == expected) return;
  std::ostringstream message;
  message << text << " is " << actual << ", not " << expected;
  fail(file, line, message.str());
}

}  // namespace harness

/// A case that passes when its body returns.
#define TEST(name)                                             \
  static void name();                                          \
  static const harness::Case name##_case{#name, nullptr, name}; \
  static void name()

/// A case that passes when its body ends the process and the output contains `last_words`.
#define DEATH_TEST(name, last_words)                              \
  static void name();                                             \
  static const harness::Case name##_case{#name, last_words, name}; \
  static void name()

#define CHECK(condition) \
  if (!(condition)) harness::fail(__FILE__, __LINE__, #condition " is false")

#define CHECK_EQUAL(actual, expected) harness::check_equal(__FILE__, __LINE__, #actual, actual, expected)
