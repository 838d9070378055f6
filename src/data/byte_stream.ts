/** Reads a stream of bytes piece by piece. */

/** What a stream that ends too early throws. */
export class EndOfStream extends Error {}

export class ByteStream {
  readonly #chunks: AsyncIterator<Uint8Array, unknown>
  #rest = new Uint8Array(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Fills `target` with the next bytes. Throws EndOfStream where there are fewer. */
  async into(target: Uint8Array): Promise<void> {
    for (let at = 0; at < target.length;) {
      if (this.#rest.length === 0 && !(await this.#more())) throw new EndOfStream('truncated')
      const piece = this.#rest.subarray(0, target.length - at)
      target.set(piece, at)
      at += piece.length
      this.#rest = this.#rest.subarray(piece.length)
    }
  }

  /** The next `count` bytes. */
  async take(count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count)
    await this.into(bytes)
    return bytes
  }

  /** Whether nothing is left. */
  async ended(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#more())
  }

  /** Stops reading. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#rest = next.value as Uint8Array<ArrayBuffer>
    return this.#rest.length > 0 || this.#more()
  }
}
