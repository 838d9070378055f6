// Bundles src/ into dist/: the library for import and require, each with its types, and the command-line tool.
import { defineConfig, type Options } from 'tsup'

const shared = { platform: 'node', target: 'node20', outDir: 'dist', sourcemap: true } satisfies Options

export default defineConfig([
  { ...shared, entry: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' }, format: 'esm', splitting: true },
  { ...shared, entry: { index: 'src/index.ts' }, format: 'cjs', shims: true },
  // tsup sets `baseUrl`, which TypeScript 6 calls deprecated.
  {
    ...shared,
    entry: { index: 'src/index.ts' },
    format: ['esm', 'cjs'],
    dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
  },
])
