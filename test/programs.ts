/**
 * What tests run as processes and threads of their own: the command line, and scripts beside the tests. They are bundled once before the
 * tests (vitest.config.ts), and then start in a third of the time that they need from their sources.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { packageRoot } from '../src/runtime/package_root.js'

const folder = join(packageRoot(), 'build/test/programs')

/** The bundle of a source file, for node: program('src/cli/main.ts'). */
export const program = (source: string): string => join(folder, source.replace(/\.ts$/, '.js'))

/** The command line. */
export const cli = program('src/cli/main.ts')

export default function setup(): void {
  buildSync({
    absWorkingDir: packageRoot(),
    entryPoints: ['src/cli/main.ts', ...scripts('test/native/processes'), ...scripts('test/train/processes')],
    outbase: '.',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  })
}

const scripts = (of: string) => readdirSync(join(packageRoot(), of)).map(name => join(of, name))
