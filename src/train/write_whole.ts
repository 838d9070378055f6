import { rename, writeFile } from 'node:fs/promises'

/** Writes a file so that under its name there is always a complete one: the old or the new. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.tmp`, content)
  await rename(`${file}.tmp`, file)
}
