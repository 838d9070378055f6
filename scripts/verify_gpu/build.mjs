// Bundles the verification into plain Node scripts with all they import, and lays the files they read beside them.
//   node scripts/verify_gpu/build.mjs [FOLDER]     default: build/verify_gpu
import { build } from 'esbuild'
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
const goldenFiles = [
  'block.safetensors',
  'layers.safetensors',
  'resnet20_step.safetensors',
  'trajectory.json',
  'trajectory.safetensors',
]

/** Packages that are loaded when they are needed first (src/runtime/dependency.ts) come along too: there is no node_modules beside a bundle. */
const lateDependencies = {
  name: 'late dependencies',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/(runtime|data)\/\w+\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace(/\bdependency\(('[^']+')\)/g, '(() => require($1))'),
    })),
}

/** Returns when the folder holds main.mjs, section.mjs and their files. */
export async function buildVerification(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await build({
    absWorkingDir: root,
    entryPoints: [join(here, 'main.ts'), join(here, 'section.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [lateDependencies],
    alias: { vitest: join(here, 'suite', 'vitest.ts') },
    // Only what draws charts and speaks to the terminal; no section does.
    external: ['@resvg/resvg-js', 'echarts'],
    // CommonJS packages ask for Node's modules by require.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  for (const name of goldenFiles) cpSync(join(root, 'test/golden', name), join(folder, name))
  cpSync(join(here, 'sections', 'torch_train.py'), join(folder, 'torch_train.py'))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildVerification(process.argv[2] ?? join(root, 'build', 'verify_gpu'))
