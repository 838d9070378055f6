// The reference backend: every operation of docs/vocabulary.md by plain loops in double precision, one thread, no library.
// It is the oracle of the other backends, so it is written to be read, not to be fast.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace eraserelu {

std::unique_ptr<Backend> make_reference_backend();

}  // namespace eraserelu
