/** Reads small pieces of a large file, most of them after one another, in few calls. */
import { open, type FileHandle } from 'node:fs/promises'
import { InvalidArgument } from '../runtime/errors.js'

const windowBytes = 16 << 10

export class FileWindow {
  private held = Buffer.alloc(0)
  private heldAt = 0

  private constructor(
    private readonly handle: FileHandle,
    private readonly file: string,
    /** Of the file, in bytes. */
    readonly size: number,
    readonly mtimeMs: number,
  ) {}

  /** Runs `use`; the file is closed after it. Throws InvalidArgument that names a file that cannot be read. */
  static async over<T>(file: string, use: (window: FileWindow) => Promise<T>): Promise<T> {
    const unreadable = (error: unknown): never => {
      throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
    }
    const handle = await open(file, 'r').catch(unreadable)
    try {
      const status = await handle.stat()
      if (!status.isFile()) throw new InvalidArgument(`${file} is not a file`)
      return await use(new FileWindow(handle, file, status.size, status.mtimeMs))
    } finally {
      await handle.close()
    }
  }

  /** The bytes from `at` on; the caller has looked at `size`. They are overwritten by the next call. */
  async read(at: number, count: number): Promise<Buffer> {
    const from = at - this.heldAt
    if (from >= 0 && from + count <= this.held.length) return this.held.subarray(from, from + count)
    const wanted = Math.min(Math.max(count, windowBytes), this.size - at)
    const bytes =
      this.held.buffer.byteLength >= wanted ? Buffer.from(this.held.buffer, 0, wanted) : Buffer.from(new ArrayBuffer(wanted))
    for (let done = 0; done < wanted;) {
      const { bytesRead } = await this.handle.read(bytes, done, wanted - done, at + done)
      if (bytesRead === 0) throw new InvalidArgument(`${this.file}: it became shorter while it was read`)
      done += bytesRead
    }
    this.held = bytes
    this.heldAt = at
    return bytes.subarray(0, count)
  }
}
