// The CPU backend: oneDNN for convolutions, own loops for everything else. f32, NHWC.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace eraserelu {

std::unique_ptr<Backend> make_onednn_backend();

}  // namespace eraserelu
