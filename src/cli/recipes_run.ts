/** What `eraserelu recipes` does; loaded only when it runs. */
import { printResult, type JsonFlag } from './json.js'
import { allRecipes, type Recipe } from './recipe_files.js'
import { renderTable, unicodeOut } from './table.js'

export async function listRecipes(flags: JsonFlag): Promise<void> {
  printResult(await allRecipes(), flags, textOf)
}

function textOf(recipes: readonly Recipe[]): string {
  const rows = recipes.map(({ name, file, settings }) => [
    name,
    `${settings.epochs}`,
    `${settings['batch-size']}`,
    `${settings.lr}`,
    settings['lr-milestones']?.join(',') ?? `every ${settings['lr-step-size']}`,
    `${settings['lr-gamma']}`,
    `${settings['weight-decay']}`,
    file,
  ])
  return renderTable([['recipe', 'epochs', 'batch', 'rate', 'falls at', 'times', 'decay', 'recipes/'], ...rows], {
    unicode: unicodeOut(),
  })
}
