// What is known of cuDNN's engines on this device, kept between runs: a small file for each form of a graph. A file that cannot be read, is damaged or was
// written by other rules counts as missing and is written anew; where nothing can be written, what was found out lasts as long as the process.
#pragma once

#include <map>
#include <string>

namespace eraserelu::cuda {

/// Of one engine.
struct EngineFinding {
  double error = 0;      // what its check measured (engine_check.h); NaN where the result held one
  double seconds = -1;   // of one execution; -1: not timed
};

/// By the engine's name.
using EngineFindings = std::map<std::string, EngineFinding>;

class EngineCache {
 public:
  /// `folder`: "" for none.
  explicit EngineCache(std::string folder) : folder_(std::move(folder)) {}

  /// `$ERASERELU_CACHE`, else `$XDG_CACHE_HOME/eraserelu`, else `~/.cache/eraserelu`, each with /engines; "" where none of the three is known.
  static std::string usual_folder();

  /// `key` is one line that says all that a finding depends on: device, versions, form.
  EngineFindings load(const std::string& key);

  /// Adds to what is known.
  void save(const std::string& key, const EngineFindings& findings);

 private:
  std::string file_of(const std::string& key) const;

  std::string folder_;
  std::map<std::string, EngineFindings> known_;   // by key
};

}  // namespace eraserelu::cuda
