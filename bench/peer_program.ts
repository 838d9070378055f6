// The programs of peers that are written in TypeScript. They are bundled first: started from their sources, each process would hold a compiler,
// and its memory would count.
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { packageRoot } from '../src/runtime/package_root.js'

const built = new Map<string, string>()

/** The bundle of bench/peers/`folder`/`name`.ts, for node. It lies in that folder, where the library of the peer is installed. */
export function peerProgram(folder: string, name: string): string {
  const source = join('bench/peers', folder, `${name}.ts`)
  const outfile = built.get(source) ?? join(packageRoot(), 'bench/peers', folder, 'build', `${name}.js`)
  if (!built.has(source))
    buildSync({
      absWorkingDir: packageRoot(),
      entryPoints: [source],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'warning',
    })
  built.set(source, outfile)
  return outfile
}
