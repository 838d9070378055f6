// The graph forms that a convolutional network puts to cuDNN, each at a few shapes, to ask a libcudnn about.
#pragma once

#include <functional>

#include "frontend/frontend_graph.h"

namespace frontend {

struct Form {
  std::string name;
  Type io;
  std::function<void(Graph&)> fill;
};

std::vector<Form> forms();

}  // namespace frontend
