/** The GPU backend on the simulated GPU: what it says when something is missing or fails, and the ways it can take. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runProcess } from '../processes/run_process.js'
import { library } from './build.js'

async function gpu(scenario: string, environment: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await runProcess('gpu.ts', [scenario], [], { ERASERELU_CUDA_LIBRARY: library, ...environment })
  expect({ code, stderr: stderr.replace(/^simulated GPU: failure asked for in \w+\n/, '') }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Record<string, unknown>
}

test('both GPUs are devices', async () => {
  expect(await gpu('devices')).toEqual({ devices: ['cpu', 'reference', 'cuda', 'cuda:1'] })
})

describe('why there is no device cuda', () => {
  test.each([
    [
      'the library is missing',
      { ERASERELU_CUDA_LIBRARY: '/nowhere/eraserelu_cuda.so' },
      /not built: \/nowhere\/.* 'npm run build:cuda'/,
    ],
    [
      'it is another library',
      { ERASERELU_CUDA_LIBRARY: join(library, '../libcudnn.so.9') },
      /libcudnn\.so\.9 is not the GPU backend/,
    ],
    ['no driver', { SIM_FAIL: 'cudaDriverGetVersion:1' }, /no NVIDIA driver/],
    ['an old driver', { SIM_DRIVER: '12080' }, /driver is too old: it is made for CUDA 12\.8; CUDA 13 needs driver 580 or newer/],
    ['no GPU', { SIM_FAIL: 'cudaGetDeviceCount:1:100' }, /no GPU can be used: no CUDA-capable device is detected/],
  ] as const)('%s', async (_, environment, problem) => {
    const answer = await gpu('devices', environment)
    expect(answer.devices).toEqual(['cpu', 'reference'])
    expect(answer.problem).toMatch(problem)
    expect(await gpu('session', environment)).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(problem) as string,
    })
  })
})

test('a GPU older than Ampere is refused', async () => {
  expect(await gpu('session', { SIM_SM: '75' })).toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('GPU 0 is of architecture sm_75; this package needs sm_80 (Ampere) or newer') as string,
  })
})

test('a session runs kernel by kernel first, then as a recording', async () => {
  const { differences, engines } = await gpu('session')
  expect(Math.max(...(differences as number[]))).toBeLessThan(1e-3)
  // Batch norm is folded into the convolution. eng5 and eng8 come first but round to TF32, eng34 is not deterministic.
  expect(new Set(engines as string[])).toEqual(new Set(['cudnn eng12']))
  for (const call of ['cudaStreamBeginCapture', 'cudaGraphLaunch'])
    expect(await gpu('session', { SIM_FAIL: `${call}:1` })).toMatchObject({
      code: 'DEVICE_ERROR',
      message: expect.stringContaining(call) as string,
    })
})

test.each(['', 'add(', 'relu_fwd('])('convolutions are right where cuDNN refuses to fuse "%s"', async refused => {
  expect(await gpu('convolutions', refused === '' ? {} : { SIM_CUDNN_REFUSE: refused })).toEqual({ equal: true })
})

test.each(['', 'add(', 'relu_fwd('])('16-bit convolutions are right where cuDNN refuses to fuse "%s"', async refused => {
  expect(await gpu('convolutions16', refused === '' ? {} : { SIM_CUDNN_REFUSE: refused })).toEqual({ equal: [true, true] })
})

describe('failures name the node, and say what failed', () => {
  test.each([
    [
      'cuDNN has no plan',
      { SIM_CUDNN_REFUSE: 'conv_fprop' },
      'UNSUPPORTED',
      /conv2d .*\[2,5,5,8\]f32.*: cuDNN: .*refused on request/,
    ],
    ['cuDNN fails', { SIM_FAIL: 'cudnnBackendExecute:1' }, 'DEVICE_ERROR', /conv2d .*\[2,5,5,8\]f32.*this failure was asked for/],
    [
      'a kernel cannot be launched',
      { SIM_CUDNN_REFUSE: 'add(', SIM_FAIL: 'cudaLaunchKernel*:1' },
      'DEVICE_ERROR',
      /conv2d .*\[2,5,5,8\]f32/,
    ],
  ] as const)('%s', async (_, { SIM_FAIL = '', ...environment }: Record<string, string>, code, message) => {
    // The failure is to meet the plan, not the check of its engines.
    await gpu('convolutions', environment)
    expect(await gpu('convolutions', { ...environment, ...(SIM_FAIL && { SIM_FAIL }) })).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  test('memory that is free but cannot be had', async () => {
    expect(await gpu('memory', { SIM_FAIL: 'cudaMalloc:1' })).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(
        /cannot allocate 4194304 bytes on device 'cuda': \d+ of \d+ are free; .*Largest tensors: relu \(4194304\)/,
      ) as string,
    })
  })
})

test('memory of the host for inputs and outputs that cannot be had', async () => {
  expect(await gpu('memory', { SIM_FAIL: 'cudaMallocHost:1:2' })).toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringMatching(/cannot allocate \d+ bytes of pinned host memory for inputs and outputs/) as string,
  })
})

describe('errors after which CUDA does nothing any more', () => {
  test.each([
    ['a launch', { SIM_FAIL: 'cudaLaunchKernel*:1:700' }, /relu .*\[3\]f32.*illegal memory access.*cudaErrorIllegalAddress/],
    ['waiting', { SIM_FAIL: 'cudaEventQuery:1:719' }, /cudaEventQuery: unspecified launch failure/],
  ] as const)('%s: the device is lost, the process and the CPU go on', async (_, environment, first) => {
    const { failures, cpu } = await gpu('lost', environment)
    const [cause, ...later] = failures as { code: string; message: string }[]
    expect(cause).toMatchObject({ code: 'DEVICE_ERROR', message: expect.stringMatching(first) as string })
    expect(cause!.message).toMatch(/'cuda' is lost to this process: restart it/)
    expect(later).toHaveLength(3)
    for (const error of later) {
      expect(error.code).toBe('DEVICE_ERROR')
      expect(error.message).toMatch(/^Device 'cuda' is lost.* What ended it: /)
      expect(error.message).toMatch(first)
    }
    expect(cpu).toEqual([0, 1, 2])
  })

  test('another GPU goes on', async () => {
    expect(await gpu('lost', { SIM_FAIL: 'cudaLaunchKernel*:1:700' })).toMatchObject({ second: [0, 1, 2] })
  })
})

describe('a plan that does not fit is told before anything is allocated', () => {
  const room = 6 << 20 // three blocks of 4 MiB are asked for: the input's two slots, and the output

  test('what it needs, what is free, the largest tensors, the batch that would fit', async () => {
    const { code, message } = await gpu('batch', { SIM_MEMORY: String(room) })
    expect(code).toBe('OUT_OF_MEMORY')
    expect(message).toMatch(/needs \d+ bytes \(\d+ of activations, 8388608 of inputs, .*\) and \d+ are free on device 'cuda'/)
    expect(message).toMatch(/Largest tensors: .+ \(4194304\)/)
    const batch = Number(/A batch of about (\d+) would fit/.exec(message as string)![1])
    expect(await gpu('batch', { SIM_MEMORY: String(room), BATCH: String(batch) })).toEqual({ batch })
    expect(await gpu('batch', { SIM_MEMORY: String(room), BATCH: String(batch + 4) })).toMatchObject({ code: 'OUT_OF_MEMORY' })
  })

  test('that no batch would fit', async () => {
    const answer = await gpu('batch', { SIM_MEMORY: '60000', BATCH: '2' })
    expect(answer.message).toMatch(/needs .*No batch would fit: use a smaller model or smaller images/)
  })
})
