/** What lies where in a tar file (ustar, with pax or GNU long names), read from its headers alone. */
import type * as Tar from 'tar'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'
import type { FileWindow } from './file_window.js'

/** A file in a tar file. */
export interface TarMember {
  readonly name: string
  /** Of its bytes in the tar file. */
  readonly offset: number
  readonly length: number
}

const block = 512
/** No list of names and times is longer. */
const longestExtension = 1 << 20

const extensions = new Set([
  'ExtendedHeader',
  'OldExtendedHeader',
  'NextFileHasLongPath',
  'OldGnuLongPath',
  'NextFileHasLongLinkpath',
])
const files = new Set(['File', 'OldFile', 'ContiguousFile'])
const others = new Set(['Directory', 'GNUDumpDir', 'GlobalExtendedHeader', 'TapeVolumeHeader'])

/** The members in their order. Throws InvalidArgument that names file and byte where it is damaged or cut off. */
export async function* tarMembers(file: string, window: FileWindow): AsyncGenerator<TarMember> {
  const { size } = window
  const tar = await import('tar')
  const fail = (at: number, reason: string): never => {
    throw new InvalidArgument(`${file}, byte ${at}: ${reason}`)
  }
  let longName: string | undefined
  let pax: Tar.Pax | undefined
  for (let at = 0; ;) {
    if (at + block > size)
      fail(at, size === 0 ? 'the file is empty' : 'truncated: the file ends without the end mark of a tar file')
    const bytes = await window.read(at, block)
    if (bytes.every(byte => byte === 0)) return await checkEnd(file, window, at)
    if (at === 0 && bytes.readUInt16BE(0) === 0x1f8b) throw new Unsupported(`${file} is compressed: unpack it with gunzip`)
    const header = headerIn(tar, bytes)
    if (!header?.cksumValid) return fail(at, at === 0 ? 'not a tar file' : 'damaged: no valid header of a tar file')
    const { type, size: length } = header
    const offset = at + block
    if (length === undefined) return fail(at, 'damaged: a member without a size')
    const name = pax?.path ?? longName ?? header.path ?? ''
    const bytesOf = files.has(type) ? (pax?.size ?? length) : length
    if (bytesOf > size - offset) fail(at, `truncated: '${name}' has ${bytesOf} bytes, and ${Math.max(0, size - offset)} follow`)
    if (extensions.has(type)) {
      if (bytesOf > longestExtension) fail(at, `damaged: a name of ${bytesOf} bytes`)
      const text = Buffer.from(await window.read(offset, bytesOf)).toString('utf8')
      if (type.endsWith('ExtendedHeader')) pax = tar.Pax.parse(text, pax)
      else if (type !== 'NextFileHasLongLinkpath') longName = text.replace(/\0.*$/s, '')
    } else {
      if (name.includes('\0')) fail(at, 'damaged: a zero byte in a name')
      if (files.has(type)) yield { name, offset, length: bytesOf }
      else if (!others.has(type))
        throw new Unsupported(
          `${file}, byte ${at}: '${name}' is no plain file (${type}); make the tar file anew, with tar --dereference`,
        )
      if (type !== 'GlobalExtendedHeader') {
        pax = undefined
        longName = undefined
      }
    }
    at = offset + Math.ceil(bytesOf / block) * block
  }
}

/** undefined: its numbers are none. */
function headerIn(tar: typeof Tar, bytes: Buffer): Tar.Header | undefined {
  try {
    return new tar.Header(Buffer.from(bytes), 0)
  } catch {
    return undefined
  }
}

/** Nothing but zeros may follow the end mark: what does would be missed. */
async function checkEnd(file: string, window: FileWindow, at: number): Promise<void> {
  const piece = 4096
  for (let next = at; next < window.size; next += piece) {
    const bytes = await window.read(next, Math.min(piece, window.size - next))
    if (bytes.some(byte => byte !== 0))
      throw new InvalidArgument(
        `${file}, byte ${next}: there is more after the end mark; tar files that were put together are read singly`,
      )
  }
}
