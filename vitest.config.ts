// Two projects: `native` holds what runs kernels on all cores, one file at a time; `unit` is everything else.
import { configDefaults, defineConfig } from 'vitest/config'

const native = [
  'test/native/**/*.test.ts',
  'test/golden/**/*.test.ts',
  'test/train/**/*.test.ts',
  'test/smoke/**/*.test.ts',
  'test/packaging/**/*.test.ts',
]

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    reporters: ['default', ['json', { outputFile: 'build/test/vitest.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...native],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'native', include: native, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
