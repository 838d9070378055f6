#include "cuda/engine_choice.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "base/error.h"
#include "cuda/engine_cache.h"

namespace eraserelu::cuda {

namespace {

/// What findings depend on beside the form, and where they are kept.
struct KnownDevice {
  std::string identity;   // "NVIDIA H200 sm_90, cuDNN 9.28.1"
  EngineCache findings{EngineCache::usual_folder()};
};

/// Of a GPU, for the process. Only its runner's thread uses it.
KnownDevice& known(const Device& device) {
  static auto& mutex = *new std::mutex();   // never destroyed: runners may still be at work when the process ends
  static auto& devices = *new std::map<int, KnownDevice>();
  const std::lock_guard<std::mutex> lock(mutex);
  KnownDevice& known = devices[device.index];
  if (known.identity.empty()) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device.index), "cudaGetDeviceProperties");
    known.identity = std::string(properties.name) + " sm_" + std::to_string(properties.major) + std::to_string(properties.minor) + ", cuDNN " +
                     cudnn_version();
  }
  return known;
}

constexpr const char* kOwn = "own";

class Choice {
  struct Row {
    std::size_t index;
    EngineCandidate engine;
  };

 public:
  Choice(CudnnGraph& graph, EngineCheck& check, const Device& device, const Policy& policy, Requirements& told)
      : graph_(graph),
        check_(check),
        described_(!device.described.empty()),
        known_(known(device)),
        policy_(policy),
        told_(told),
        key_(known_.identity + "; " + check.form() + (check.has_own() ? "; " + check.own() : "")),
        findings_(known_.findings.load(key_)) {}

  void first() {
    for (const Row& row : allowed()) {
      if (!build(row) || !passes(row)) continue;
      return;
    }
    refuse();
  }

  /// The engine that an earlier run took, else the fastest; and tells which it is. False: our own kernels.
  bool again_or_fastest() {
    std::vector<Row> rows = allowed();
    if (check_.has_own()) rows.push_back({0, {kOwn}});
    const auto before = policy_.choices.find(check_.form());
    if (before == policy_.choices.end()) fastest(rows);
    else if (!again(rows, before->second)) otherwise(rows);
    if (!unchecked_.empty()) told_.notes.push_back(check_.desc().to_string() + ": " + unchecked_);
    told_.choices[check_.form()] = taken_;
    return taken_ != kOwn;
  }

 private:
  bool again(const std::vector<Row>& rows, const std::string& name) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& each) { return each.engine.name == name; });
    if (row == rows.end()) reject(name, "cuDNN does not offer it here, or the options do not allow it");
    else if (build(*row) && passes(*row)) return true;
    return false;
  }

  /// Where again() cannot be.
  void otherwise(const std::vector<Row>& rows) {
    const std::string reason = reasons_.back();
    fastest(rows);
    const char* instead = taken_ == kOwn ? ": our own kernels are chosen, not cuDNN's engine of before: " : ": another of cuDNN's engines is chosen than before: ";
    told_.notes.push_back(check_.desc().to_string() + instead + reason);
  }

  void fastest(const std::vector<Row>& rows) {
    std::vector<std::pair<double, Row>> timed;
    for (const Row& row : rows) {
      const auto found = findings_.find(row.engine.name);
      const bool isTimed = found != findings_.end() && found->second.seconds >= 0;
      if (!isTimed && !(build(row) && passes(row) && time(row))) continue;
      timed.emplace_back(findings_[row.engine.name].seconds, row);
    }
    std::stable_sort(timed.begin(), timed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [seconds, row] : timed)
      if (build(row) && passes(row)) return;
    if (!check_.has_own()) refuse();
    taken_ = kOwn;   // untimed: there was too little memory
  }

  /// The plans that the policy allows, in cuDNN's order, each name once.
  std::vector<Row> allowed() {
    std::vector<Row> rows;
    std::set<std::string> names;
    for (std::size_t i = 0; i < graph_.candidates(); ++i) {
      const Row row{i, graph_.candidate(i)};
      if (!names.insert(row.engine.name).second) continue;
      const std::string reason = objection(row.engine, policy_, check_.desc().reads[0].dtype);
      if (reason.empty()) rows.push_back(row);
      else reject(row.engine.name, reason);
    }
    return rows;
  }

  bool build(const Row& row) {
    taken_ = row.engine.name;
    if (taken_ == kOwn) return true;
    try {
      graph_.build(row.index, policy_.workspaceLimit);
      return true;
    } catch (const CudnnRefusal& refusal) {
      reject(row.engine.name, refusal.what());
      return false;
    }
  }

  /// Of the plan that was built last.
  bool passes(const Row& row) {
    if (row.engine.name == kOwn) return true;
    if (described_) return true;   // nothing can be run on a GPU that is not here
    const double allowed = check_.allowed(row.engine.rounds);
    const auto found = findings_.find(row.engine.name);
    const bool isNew = found == findings_.end();
    if (isNew && !measure(row)) return false;
    const double error = findings_[row.engine.name].error;
    if (error <= allowed) return true;   // a NaN is not
    std::ostringstream reason;
    reason << "its results are off by " << error << ", " << allowed << " is allowed";
    reject(row.engine.name, reason.str());
    if (isNew) tell(row, reason.str());
    return false;
  }

  bool measure(const Row& row) {
    return run(row, [&] { findings_[row.engine.name] = {check_.error(graph_), -1}; });
  }
  bool time(const Row& row) {
    return run(row, [&] { findings_[row.engine.name].seconds = row.engine.name == kOwn ? check_.own_seconds() : check_.seconds(graph_); });
  }

  template <typename Run>
  bool run(const Row& row, const Run& find_out) {
    try {
      find_out();
    } catch (const Error& error) {
      const bool own = row.engine.name == kOwn, full = error.code() == ErrorCode::OutOfMemory;
      const std::string what = own ? "our own kernels cannot be timed: " : "cuDNN's engine " + row.engine.name + " cannot be checked before its first use: ";
      if (!full || !check_.has_own()) fail(error.code(), check_.desc().to_string(), ": ", what, error.what(), full ? ". Use a smaller batch." : "");
      reject(row.engine.name, error.what());
      if (unchecked_.empty()) unchecked_ = what + error.what();
      return false;
    } catch (const std::runtime_error& error) {   // may be better next time: not kept
      const std::string reason = std::string("it cannot be run: ") + error.what();
      reject(row.engine.name, reason);
      tell(row, reason);
      return false;
    }
    known_.findings.save(key_, findings_);
    return true;
  }

  void tell(const Row& row, const std::string& reason) {
    told_.notes.push_back(check_.desc().to_string() + ": cuDNN's engine " + row.engine.name + " is not used: " + reason);
  }

  void reject(const std::string& engine, const std::string& reason) {
    reasons_.push_back(engine + ": " + reason);
  }

  [[noreturn]] void refuse() const {
    std::string all;
    for (const std::string& reason : reasons_) all += (all.empty() ? "" : "; ") + reason;
    throw CudnnRefusal("none of the plans offered can be used: " + all);
  }

  CudnnGraph& graph_;
  EngineCheck& check_;
  const bool described_;
  KnownDevice& known_;
  const Policy& policy_;
  Requirements& told_;
  const std::string key_;
  EngineFindings findings_;
  std::string taken_;                  // what was built last
  std::string unchecked_;              // the first that there was too little memory for
  std::vector<std::string> reasons_;   // against each engine that cannot be used
};

}  // namespace

std::string objection(const EngineCandidate& candidate, const Policy& policy, DType io) {
  if (policy.deterministic && !candidate.deterministic) return "is not deterministic";
  if (io == DType::f32 && !policy.tf32 && candidate.rounds) return "rounds to TF32";
  return "";
}

bool choose_engine(CudnnGraph& graph, EngineCheck& check, const Device& device, const Policy& policy, Requirements& told) {
  graph.propose(device);
  Choice choice(graph, check, device, policy, told);
  if (policy.autotune) return choice.again_or_fastest();
  choice.first();
  return true;
}

}  // namespace eraserelu::cuda
