// cudnnBackendFinalize: the checks of a descriptor, and the read-only attributes that it has from then on.
#pragma once

#include <string>

#include "object.h"

namespace simulated_cudnn {

void finalise(const ObjectRef& object);

/// The engine that an execution plan runs, and the graph that it computes.
const Object& engine_of_plan(const Object& plan);
const Object& graph_of_plan(const Object& plan);

/// The support table's key of the graph that this thread finalised last, without the architecture in front.
const std::string& last_key();

}  // namespace simulated_cudnn
