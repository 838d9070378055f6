/** Looks for device `cuda` in a process of its own, so that a library that crashes or hangs while it is loaded becomes a reason. */
import { spawnSync } from 'node:child_process'
import { addonFile } from '../runtime/addon.js'

const seconds = 60

/** Makes the addon look for GPUs. What it throws, it throws in this process too. */
const script = 'try { require(process.argv[1]).devices() } catch {}'

/** Why the GPU backend must not be loaded in this process; undefined when another one survived it. */
export function cudaCrash(): string | undefined {
  const { signal, status, error, stderr } = spawnSync(process.execPath, ['-e', script, addonFile()], {
    encoding: 'utf8',
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status === 0) return undefined
  const words = stderr.trim().split('\n').at(-1) ?? ''
  const end =
    (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT'
      ? `did not end within ${seconds} seconds`
      : signal === null
        ? `ended with code ${String(status)}`
        : `was ended by ${signal}`
  return (
    `a process that loaded the GPU backend to try it ${end}${words === '' ? '' : ` (${words})`}. ` +
    'Check that the NVIDIA driver (580 or newer), the CUDA runtime 13 and cuDNN 9 fit together'
  )
}
