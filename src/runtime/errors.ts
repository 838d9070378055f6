/** The errors this package throws. Each has a stable `code`; native code throws the same kinds, translated by fromNative below. */

/** Base class: `catch (e) { if (e instanceof EraseReLUError) console.error(e.code, e.message) }`. */
export abstract class EraseReLUError extends Error {
  /** The kind of the error, for programs: 'INVALID_ARGUMENT', 'OUT_OF_MEMORY', … Never changes. */
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A wrong option, shape, name or value: the caller's to mend; the message says what would work. */
export class InvalidArgument extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'INVALID_ARGUMENT'
}

/** A valid wish that this device, build or version cannot fulfil; the message says why and what would work. */
export class Unsupported extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'UNSUPPORTED'
}

/** Memory that was asked for and is not there; the message has the bytes and the largest tensors. */
export class OutOfMemory extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'OUT_OF_MEMORY'
}

/** A library or device failed; the message has its status and the node. */
export class DeviceError extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'DEVICE_ERROR'
}

/** Checked mode met a value that is not finite; the message names the layer, the operation and the element. */
export class NotFinite extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'NOT_FINITE'
}

/** A file or folder could not be written (full disk, no permission); the message names it and says what is still usable. */
export class OutputError extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'OUTPUT_FAILED'
}

/** A mistake inside this package. */
export class Internal extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'INTERNAL'
}

/** Use of something after `dispose()`. */
export class Disposed extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'DISPOSED'
}

/** The native addon could not be loaded; the message says which file was tried, why it failed and how to build it. */
export class AddonNotFound extends EraseReLUError {
  /** See EraseReLUError. */
  readonly code = 'ADDON_NOT_FOUND'
}

const classes = { InvalidArgument, Unsupported, OutOfMemory, DeviceError, NotFinite, Internal } as const

/** The class for a native error: the addon puts the name of the kind into `code`. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const kind = classes[error.code as keyof typeof classes]
  return kind ? new kind(error.message, { cause: error }) : error
}
