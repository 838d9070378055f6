// Projects: `native` runs kernels; `native-alone` does too and looks at time, memory or the end of a process, so that one file runs at a
// time and nothing beside it; `simulated` needs the CUDA headers and builds the simulated GPU (npm run test:simulated); `unit` is the rest.
import { resolve } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'

const native = [
  'test/native/**/*.test.ts',
  'test/golden/**/*.test.ts',
  'test/train/**/*.test.ts',
  'test/smoke/**/*.test.ts',
  'test/packaging/**/*.test.ts',
  'test/examples/**/*.test.ts',
  'test/cli/{bench,doctor,lost_output,recipes,reproduce,train_run}.test.ts',
]

const alone = [
  'test/native/{image_reader,plan_at_once,runtime_event_loop,runtime_exit,runtime_memory,runtime_use}.test.ts',
  'test/examples/http_server.test.ts',
]

const simulated = ['test/native/simulated_gpu/**/*.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: 'test/programs.ts',
    // For what never ends: sanitizers and a busy machine are slow.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    env: {
      // What is found out about the engines of a simulated GPU does not belong in a user's cache.
      ERASERELU_CACHE: process.env.ERASERELU_CACHE ?? resolve('build/simulated/cache'),
      // The choice between algorithms depends on the number of threads.
      OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? '2',
    },
    reporters: ['default', ['json', { outputFile: 'build/test/vitest.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...native, ...simulated],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'native',
          include: native,
          exclude: [...configDefaults.exclude, ...alone, ...simulated],
          // Most of it is planning and plain loops, which use one core.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'native-alone',
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'simulated',
          include: simulated,
          globalSetup: 'test/native/simulated_gpu/build.ts',
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
