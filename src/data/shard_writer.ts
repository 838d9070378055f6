/** Writes one shard: under another name until it is complete and on the disk. */
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { syncFolder, writing } from '../runtime/durable_files.js'
import { dirname } from 'node:path'
import { encodeHeader, encodeTable, headerBytes, type ShardHeader } from './shard_file.js'

export class ShardWriter {
  private readonly offsets: number[] = [headerBytes]
  private readonly checksums: number[] = []
  private readonly labels: number[] = []
  private readonly names: string[] = []

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    /** The image of the source that it begins with. */
    private readonly first: number,
  ) {}

  static create(file: string, first: number): Promise<ShardWriter> {
    return writing(file, async () => new ShardWriter(file, await open(unfinished(file), 'w'), first))
  }

  /** Of images, so far. */
  get bytes(): number {
    return this.offsets.at(-1)! - headerBytes
  }

  async add(bytes: Uint8Array, { checksum, label, name }: { checksum: number; label: number; name: string }): Promise<void> {
    const offset = this.offsets.at(-1)!
    await this.write(bytes, offset)
    this.offsets.push(offset + bytes.length)
    this.checksums.push(checksum)
    this.labels.push(label)
    this.names.push(name)
  }

  /** `end`: the image of the source that comes next. */
  async finish(end: number): Promise<void> {
    const { file, handle, offsets, checksums, labels, names, first } = this
    const table = encodeTable({
      offsets: Float64Array.from(offsets),
      checksums: Uint32Array.from(checksums),
      labels: Int32Array.from(labels),
      names,
    })
    const tableAt = Math.ceil(offsets.at(-1)! / 8) * 8
    const header: Pick<ShardHeader, 'images' | 'first' | 'end'> = { images: labels.length, first, end }
    await this.write(table, tableAt)
    await this.write(encodeHeader(tableAt, table, header), 0)
    await writing(file, async () => {
      await handle.sync()
      await handle.close()
      await rename(unfinished(file), file)
      await syncFolder(dirname(file))
    })
  }

  /** Removes what there is of it. */
  async discard(): Promise<void> {
    await this.handle.close()
    await rm(unfinished(this.file), { force: true })
  }

  private write(bytes: Uint8Array, at: number): Promise<void> {
    return writing(this.file, async () => {
      for (let done = 0; done < bytes.length;)
        done += (await this.handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten
    })
  }
}

const unfinished = (file: string) => `${file}.new`
