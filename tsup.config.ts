// Bundles src/ into dist/: the library for import and require, each with its types, and the command-line tool.
import { defineConfig, type Options } from 'tsup'

const shared = { platform: 'node', target: 'node20', outDir: 'dist', sourcemap: true } satisfies Options
const library = { ...shared, entry: { index: 'src/index.ts' } } satisfies Options

export default defineConfig([
  { ...library, format: 'esm', splitting: true },
  { ...library, format: 'cjs', shims: true },
  // tsup sets `baseUrl`, which TypeScript 6 calls deprecated.
  { ...library, format: ['esm', 'cjs'], dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } } },
  // On its own: split together, the library would be many small files, and importing it take half as long again.
  { ...shared, entry: { main: 'src/cli/main.ts' }, outDir: 'dist/cli', format: 'esm', splitting: true },
])
