/** PNG files as the pixels that a network takes. */
import { readFile } from 'node:fs/promises'
import { PNG } from 'pngjs'
import type { ImageShape } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'

/**
 * The pixels [height, width, channels] of a file: colours become grey (ITU-R BT.601, as in Pillow) or grey colours where the
 * network has other channels than the file, transparency is dropped, 16 bits become 8. Throws InvalidArgument that names the
 * file when it is missing, no PNG, or of another size.
 */
export async function readPng(file: string, [height, width, channels]: ImageShape): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
  })
  if (channels !== 1 && channels !== 3)
    throw new InvalidArgument(`${file}: a PNG file has grey or RGB pixels, the network takes ${channels} channels`)
  const png = decoded(bytes, file)
  if (png.width !== width || png.height !== height)
    throw new InvalidArgument(
      `${file}: the image is ${png.width}x${png.height} pixels, the network takes ${width}x${height}: resize it first`,
    )
  const pixels = new Uint8Array(height * width * channels)
  for (let at = 0, i = 0; at < png.data.length; at += 4) {
    const [red, green, blue] = png.data.subarray(at, at + 3) as unknown as [number, number, number]
    if (channels === 1)
      pixels[i++] = red === green && green === blue ? red : Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
    else for (const value of [red, green, blue]) pixels[i++] = value
  }
  return pixels
}

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** Always RGBA, a byte each. */
function decoded(bytes: Buffer, file: string): PNG {
  if (!bytes.subarray(0, signature.length).equals(signature))
    throw new InvalidArgument(`${file}: is no PNG file; convert it to PNG first`)
  try {
    return PNG.sync.read(bytes)
  } catch (error) {
    throw new InvalidArgument(`${file}: is a damaged PNG file (${(error as Error).message})`, { cause: error })
  }
}
