// Faults in the host code: memory, streams, capture.
import { cases, trajectory } from './tests.mjs'

export const host = [
  {
    name: 'host-pointer',
    about: 'a kernel is given memory of the host',
    file: 'kernels/update.cu',
    find: 'launch(ema_kernel, division.grid, dim3(blockSize), 0, stream, weights, state, ema',
    replace:
      'launch(ema_kernel, division.grid, dim3(blockSize), 0, stream, weights, reinterpret_cast<const float*>(&division), ema',
    tests: cases('emaUpdate'),
  },
  {
    name: 'allocation-inside-capture',
    about: 'a launch allocates, which a capture does not allow',
    file: 'device.cc',
    find: 'const cudaError_t status = launch_(first, count);',
    replace:
      'void* memory = nullptr;\n    check(cudaMalloc(&memory, 256), "cudaMalloc");\n    const cudaError_t status = launch_(first, count);',
    tests: trajectory,
  },
  {
    name: 'synchronisation-inside-capture',
    about: 'a launch waits for the GPU, which a capture does not allow',
    file: 'device.cc',
    find: 'const cudaError_t status = launch_(first, count);',
    replace:
      'const cudaError_t status = launch_(first, count);\n    check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");',
    tests: trajectory,
  },
  {
    name: 'upload-wrong-direction',
    about: 'the wrong direction of a copy',
    file: 'cuda_backend.cc',
    find: 'cudaMemcpyHostToDevice',
    replace: 'cudaMemcpyDeviceToDevice',
    tests: trajectory,
  },
  {
    name: 'input-wait-missing',
    about: 'a step does not wait for its inputs on the copy stream',
    file: 'transfers.cc',
    find: 'slots_[next_].copied.hold(device_.stream);',
    replace: '',
    tests: trajectory,
  },
]
