#include "cuda/engine_cache.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace eraserelu::cuda {

namespace {

/// Changes with what a finding means: the check, its data, this format.
constexpr const char* kEngineRules = "eraserelu engines, rules 2";

/// 64-bit FNV-1a, as 16 hexadecimal digits.
std::string digest(const std::string& text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char each : text) hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211u;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::string text_of(const std::string& key, const EngineFindings& findings) {
  std::string text = std::string(kEngineRules) + "\n" + key + "\n";
  for (const auto& [name, finding] : findings) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, " %.9g %.9g\n", finding.error, finding.seconds);
    text += name + numbers;
  }
  return text + "end " + digest(text) + "\n";
}

/// nullopt: not a whole file of these rules for this key.
std::optional<EngineFindings> findings_in(const std::string& text, const std::string& key) {
  const std::size_t end = text.rfind("end ");
  if (end == std::string::npos || text.substr(end) != "end " + digest(text.substr(0, end)) + "\n") return std::nullopt;
  std::istringstream lines(text.substr(0, end));
  std::string line;
  if (!std::getline(lines, line) || line != kEngineRules || !std::getline(lines, line) || line != key) return std::nullopt;
  EngineFindings findings;
  while (std::getline(lines, line)) {
    const std::size_t second = line.rfind(' '), first = line.rfind(' ', second - 1);
    findings[line.substr(0, first)] = {std::atof(line.c_str() + first), std::atof(line.c_str() + second)};
  }
  return findings;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string EngineCache::usual_folder() {
  if (const std::string own = variable("ERASERELU_CACHE"); !own.empty()) return own + "/engines";
  if (const std::string base = variable("XDG_CACHE_HOME"); !base.empty()) return base + "/eraserelu/engines";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/eraserelu/engines";
  return "";
}

std::string EngineCache::file_of(const std::string& key) const { return folder_ + "/" + digest(key) + ".txt"; }

EngineFindings EngineCache::load(const std::string& key) {
  EngineFindings& known = known_[key];
  if (folder_.empty() || !known.empty()) return known;
  std::ifstream file(file_of(key), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  known = findings_in(text.str(), key).value_or(EngineFindings());
  return known;
}

void EngineCache::save(const std::string& key, const EngineFindings& findings) {
  EngineFindings& known = known_[key];
  for (const auto& [name, finding] : findings) known[name] = finding;
  if (folder_.empty()) return;
  std::error_code problem;
  std::filesystem::create_directories(folder_, problem);
  // Renamed as a whole, so that nobody reads half a file; two writers, of other processes or other devices, have two files.
  static std::atomic<int> writes{0};
  const std::string file = file_of(key), fresh = file + "." + std::to_string(getpid()) + "." + std::to_string(writes++);
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << text_of(key, known);
  out.close();
  if (out.good()) std::filesystem::rename(fresh, file, problem);
  if (!out.good() || problem) std::filesystem::remove(fresh, problem);
}

}  // namespace eraserelu::cuda
