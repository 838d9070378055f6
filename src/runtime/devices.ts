import { addon, native, type DeviceInfo } from './addon.js'
import { checkDevice } from './store.js'

/** The names of the devices that work here: 'cpu', 'reference', and one for each GPU: 'cuda', 'cuda:1' … */
export function devices(): string[] {
  return addon().devices()
}

/** What is known of a device: library, instruction set, threads. */
export function deviceInfo(device = 'cpu'): DeviceInfo {
  return native(({ deviceInfo: info }) => info(checkDevice(device)))
}

/** Why a device ('cpu', 'reference', 'cuda', 'cuda:1' …) does not work here; undefined when it does. */
export function deviceProblem(device: string): string | undefined {
  const problem = native(({ deviceProblem: problemOf }) => problemOf(device))
  return problem === '' ? undefined : problem
}
