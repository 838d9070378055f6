// The committed support table: what the real cuDNN answered, against the stand-in's own rules.
#include <cstdlib>
#include <fstream>

#include "check/forms.h"
#include "cudnn/sim_cudnn.h"
#include "tests/cudnn/run.h"
#include "tests/harness.h"

using namespace frontend;

namespace {

struct DescribedDevice {
  const char* file;
  int architecture;
};
const DescribedDevice devices[] = {{"a100", 80}, {"h200", 90}, {"b200", 100}};

std::string properties_of(const DescribedDevice& device) {
  std::ifstream file(std::string(DEVICES_FOLDER "/") + device.file + ".json");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Plans by key.
std::map<std::string, long> read_table() {
  std::map<std::string, long> table;
  std::ifstream file(TABLE_FILE);
  for (std::string line; std::getline(file, line);)
    if (line.front() != '#') table[line.substr(line.find(' ') + 1)] = std::atol(line.c_str());
  return table;
}

void for_each_form(const std::function<void(const Form&, long real, std::int64_t standIn)>& visit) {
  open_library("libcudnn.so.9");
  const std::map<std::string, long> table = read_table();
  for (const DescribedDevice& device : devices) {
    const std::string properties = properties_of(device), prefix = "sm" + std::to_string(device.architecture) + " ";
    for (const Form& form : forms()) {
      Graph graph(form.io);
      form.fill(graph);
      const std::int64_t plans = graph.supported_plans(properties, device.architecture);
      visit(form, table.at(prefix + simCudnnLastKey()), plans);
    }
  }
}

}  // namespace

TEST(the_table_refuses_what_cudnn_refuses) {
  setenv("SIM_CUDNN_TABLE", TABLE_FILE, 1);
  for_each_form([](const Form& form, long real, std::int64_t standIn) {
    if ((real > 0) != (standIn > 0))
      harness::fail(__FILE__, __LINE__,
                    form.name + ": cuDNN has " + std::to_string(real) + " plans, the stand-in " + std::to_string(standIn));
  });
}

TEST(no_rule_refuses_what_cudnn_supports) {
  for_each_form([](const Form& form, long real, std::int64_t standIn) {
    if (real > 0 && standIn == 0)
      harness::fail(__FILE__, __LINE__,
                    form.name + ": cuDNN has " + std::to_string(real) + " plans, a rule of the stand-in refuses it");
  });
}
