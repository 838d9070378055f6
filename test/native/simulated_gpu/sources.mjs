// The GPU backend as it runs on the simulated GPU, as git path patterns: what results of long runs on it speak of (scripts/stale_results.mjs).
export const simulatedBackend = [
  'native/base/*',
  'native/backend/*.h',
  'native/plan/op_desc.*',
  'native/plan/policy.h',
  'native/plan/running_ranges.h',
  'native/plan/step_params.h',
  'native/cuda/**',
  'test/native/simulated_gpu/CMakeLists.txt',
  'test/native/simulated_gpu/control/**',
  'test/native/simulated_gpu/cudnn/**',
  'test/native/simulated_gpu/device/**',
  'test/native/simulated_gpu/runtime/**',
]
