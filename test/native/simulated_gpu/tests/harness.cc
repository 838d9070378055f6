// Runs the cases of a program, all or those named, and prints one line of JSON for each: {"name", "message"}; "" is a pass.
#include "harness.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <vector>

#ifdef COVERAGE   // lines are counted: scripts/coverage_gpu.mjs
extern "C" void __gcov_dump();
#else
static void __gcov_dump() {}
#endif

namespace {

struct Entry {
  const char* name;
  const char* last_words;   // nullptr: the case is to return
  void (*body)();
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

struct Ending {
  bool returned;   // from the body, without a failure
  std::string output;
};

Ending run_in_child(const Entry& entry) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe failed");
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    alarm(300);
    entry.body();
    std::fflush(nullptr);
    __gcov_dump();   // which _exit does not
    _exit(0);
  }
  close(ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t size; (size = read(ends[0], buffer, sizeof buffer)) > 0;) output.append(buffer, static_cast<std::size_t>(size));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) output += std::string("ended by signal: ") + strsignal(WTERMSIG(status)) + "\n";
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, output};
}

/// "" for a pass, else what went wrong.
std::string judge(const Entry& entry, const Ending& ending) {
  if (entry.last_words == nullptr) return ending.returned ? "" : ending.output + "the case did not return";
  if (ending.returned) return "the case was to end the process and returned; " + ending.output;
  if (ending.output.find(entry.last_words) != std::string::npos) return "";
  return std::string("the last words are not \"") + entry.last_words + "\" but: " + ending.output;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') result += '\\';
    if (each == '\n') result += "\\n";
    else if (static_cast<unsigned char>(each) >= 0x20) result += each;
  }
  return result + '"';
}

bool is_chosen(const char* name, int count, char** chosen) {
  for (int i = 1; i < count; ++i)
    if (std::strcmp(chosen[i], name) == 0) return true;
  return count == 1;
}

}  // namespace

harness::Case::Case(const char* name, const char* last_words, void (*body)()) { entries().push_back({name, last_words, body}); }

void harness::fail(const char* file, int line, const std::string& message) {
  const char* const slash = std::strrchr(file, '/');
  std::printf("%s:%d: %s\n", slash == nullptr ? file : slash + 1, line, message.c_str());
  std::fflush(nullptr);
  _exit(1);
}

int main(int count, char** arguments) {
  bool passed = true;
  for (const Entry& entry : entries()) {
    if (!is_chosen(entry.name, count, arguments)) continue;
    const std::string message = judge(entry, run_in_child(entry));
    std::printf("{\"name\": %s, \"message\": %s}\n", quoted(entry.name).c_str(), quoted(message).c_str());
    std::fflush(stdout);
    passed = passed && message.empty();
  }
  return passed ? 0 : 1;
}
