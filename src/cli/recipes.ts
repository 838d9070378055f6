/** `eraserelu recipes`: lists the published trainings that `train --recipe` knows. */
import { Command } from 'commander'
import { addJsonOption, type JsonFlag } from './json.js'

const examples = `
Examples:
  $ eraserelu recipes
  $ eraserelu train --recipe resnet110-cifar10
  $ eraserelu train --recipe resnet110-cifar10 --erase last --seed 2    the same with one ReLU less in every block

The comments in recipes/*.yaml of the package say where the settings are from.`

export const recipesCommand = (): Command =>
  addJsonOption(new Command('recipes'))
    .description('List the recipes: settings of published trainings, for train --recipe.')
    .addHelpText('after', examples)
    .action(async (flags: JsonFlag) => {
      const { listRecipes } = await import('./recipes_run.js')
      await listRecipes(flags)
    })
