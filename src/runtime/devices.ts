import { addon, native, type DeviceInfo } from './addon.js'
import { checkDevice } from './store.js'

/** The names of the devices of this build: 'cpu' and 'reference'. */
export function devices(): string[] {
  return addon().devices()
}

/** What is known of a device: library, instruction set, threads. */
export function deviceInfo(device = 'cpu'): DeviceInfo {
  return native(({ deviceInfo: info }) => info(checkDevice(device)))
}
