// What is known of engines is found again, and never trusted when it is damaged.
#include "cuda/engine_cache.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/harness.h"

namespace {

using eraserelu::cuda::EngineCache;
using eraserelu::cuda::EngineFindings;

/// A folder of this process's own.
struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "eraserelu-engines-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }

  /// The only file in it.
  std::filesystem::path file() const {
    CHECK_EQUAL(std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()), 1);
    return *std::filesystem::directory_iterator(path);
  }
};

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

const EngineFindings usual = {{"eng12_k2=3", {3.5e-7, 0.0125}}, {"eng5", {0.25, -1}}, {"eng8", {NAN, -1}}};

void check_usual(const EngineFindings& found) {
  CHECK_EQUAL(found.size(), usual.size());
  CHECK_EQUAL(found.at("eng12_k2=3").error, 3.5e-7);
  CHECK_EQUAL(found.at("eng12_k2=3").seconds, 0.0125);
  CHECK_EQUAL(found.at("eng5").error, 0.25);
  CHECK_EQUAL(found.at("eng5").seconds, -1);
  CHECK(std::isnan(found.at("eng8").error));
}

}  // namespace

TEST(findings_are_read_by_the_next_process) {
  const Folder folder;
  EngineCache(folder.path).save("device; form", usual);
  EngineCache next(folder.path);
  check_usual(next.load("device; form"));
  CHECK(next.load("device; another form").empty());
}

TEST(findings_add_up) {
  const Folder folder;
  EngineCache cache(folder.path);
  cache.save("key", {{"eng1", {0.5, -1}}});
  cache.save("key", {{"eng2", {0.75, -1}}});
  CHECK_EQUAL(EngineCache(folder.path).load("key").size(), 2u);
}

TEST(a_damaged_file_counts_as_missing_and_is_written_anew) {
  const Folder folder;
  EngineCache(folder.path).save("key", usual);
  const std::filesystem::path file = folder.file();
  const std::string whole = read(file);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    CHECK(EngineCache(folder.path).load("key").empty());
    std::ofstream(file, std::ios::binary) << whole.substr(0, at);
    CHECK(EngineCache(folder.path).load("key").empty());
  }
  EngineCache(folder.path).save("key", usual);
  check_usual(EngineCache(folder.path).load("key"));
  folder.file();   // nothing else was left there
}

TEST(a_file_of_another_key_is_not_taken) {
  const Folder folder;
  EngineCache(folder.path).save("key", usual);
  const std::string file = folder.file().string(), text = read(file);
  EngineCache(folder.path).save("other", usual);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) std::ofstream(entry.path(), std::ios::binary) << text;
  CHECK(EngineCache(folder.path).load("other").empty());
}

TEST(where_nothing_can_be_written_findings_last_as_long_as_the_process) {
  for (const char* folder : {"/proc/nowhere", ""}) {
    EngineCache cache(folder);
    cache.save("key", usual);
    check_usual(cache.load("key"));
  }
}

TEST(the_folder_is_the_users_choice_or_the_usual_one) {
  setenv("HOME", "/home/someone", 1);
  unsetenv("XDG_CACHE_HOME");
  unsetenv("ERASERELU_CACHE");
  CHECK_EQUAL(EngineCache::usual_folder(), "/home/someone/.cache/eraserelu/engines");
  setenv("XDG_CACHE_HOME", "/caches", 1);
  CHECK_EQUAL(EngineCache::usual_folder(), "/caches/eraserelu/engines");
  setenv("ERASERELU_CACHE", "/mine", 1);
  CHECK_EQUAL(EngineCache::usual_folder(), "/mine/engines");
  for (const char* name : {"ERASERELU_CACHE", "XDG_CACHE_HOME", "HOME"}) unsetenv(name);
  CHECK_EQUAL(EngineCache::usual_folder(), "");
}
