/** A report as a list of parts, and as Markdown or one HTML page that needs no other file. */

export type Part =
  | { readonly heading: string; readonly level: 1 | 2 | 3 }
  /** A paragraph; `words` in backticks are code. */
  | { readonly text: string }
  | { readonly code: string }
  /** The heading first; names at the left, numbers at the right. */
  | { readonly table: readonly (readonly string[])[] }
  | { readonly figure: { readonly file: string; readonly alt: string; readonly svg: string } }

/** Figures are linked as `figures/FILE`. */
export function markdownOf(parts: readonly Part[]): string {
  return `${parts.map(markdownPart).join('\n\n')}\n`
}

function markdownPart(part: Part): string {
  if ('heading' in part) return `${'#'.repeat(part.level)} ${part.heading}`
  if ('text' in part) return part.text
  if ('code' in part) return `\`\`\`\n${part.code.trimEnd()}\n\`\`\``
  if ('figure' in part) return `![${part.figure.alt}](figures/${part.figure.file})`
  const [head, ...rows] = part.table
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head!), line(head!.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

const style = `body { font: 16px/1.5 Verdana, sans-serif; color: #22272e; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } th, td { padding: .3rem .8rem; border-bottom: 1px solid #e4e8ec; text-align: right }
th:first-child, td:first-child { text-align: left } pre { background: #f5f7f9; padding: 1rem; overflow-x: auto } img { max-width: 100% }`

/** Figures are inside the page. */
export function htmlOf(parts: readonly Part[]): string {
  const title = parts.find(part => 'heading' in part)?.heading ?? ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
${style}
</style>
</head>
<body>
${parts.map(htmlPart).join('\n')}
</body>
</html>
`
}

function htmlPart(part: Part): string {
  if ('heading' in part) return `<h${part.level}>${escaped(part.heading)}</h${part.level}>`
  if ('text' in part) return `<p>${escaped(part.text).replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>`
  if ('code' in part) return `<pre>${escaped(part.code.trimEnd())}</pre>`
  if ('figure' in part) {
    // As an image of its own: ids within an SVG must not meet those of another.
    const { alt, svg } = part.figure
    return `<p><img alt="${escaped(alt)}" src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}"></p>`
  }
  const [head, ...rows] = part.table
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map(cell => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>\n${[row(head!, 'th'), ...rows.map(cells => row(cells, 'td'))].join('\n')}\n</table>`
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
