/** Recipes: the settings of published trainings by name, from the YAML files in recipes/; its README.md says how they are written. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { packageRoot } from '../runtime/package_root.js'
import { nearest } from '../runtime/suggest.js'
import { checkedSettings, readYaml } from './train_config.js'
import type { GivenSettings } from './train_settings.js'

export interface Recipe {
  /** 'resnet110-cifar10' */
  readonly name: string
  /** 'resnet-cifar.yaml' */
  readonly file: string
  readonly settings: GivenSettings
}

/** A file: a family of networks on data sets that it is trained on in the same way, which are the last part of the recipes' names. */
interface RecipeFile {
  readonly datasets: readonly string[]
  readonly settings: object
  /** What differs, by the first part of the recipe's name: the model, unless `model` is among the settings; so for the last part and `dataset`. */
  readonly models: Readonly<Record<string, object | null>>
}

/** All recipes, file by file. */
export async function allRecipes(): Promise<Recipe[]> {
  const folder = join(packageRoot(), 'recipes')
  const files = (await readdir(folder)).filter(name => name.endsWith('.yaml')).sort()
  return (await Promise.all(files.map(file => recipesIn(folder, file)))).flat()
}

async function recipesIn(folder: string, file: string): Promise<Recipe[]> {
  const { datasets, settings, models } = (await readYaml(join(folder, file), 'datasets, settings and models')) as RecipeFile
  return Object.entries(models).flatMap(([model, own]) =>
    datasets.map(dataset => {
      const name = `${model}-${dataset}`
      return { name, file, settings: checkedSettings({ model, dataset, ...settings, ...own }, `${file}, ${name}`) }
    }),
  )
}

/** The settings with those of the recipe that they name, where they do not say otherwise. Throws InvalidArgument for an unknown recipe. */
export async function withRecipe(given: GivenSettings): Promise<GivenSettings> {
  const { recipe } = given
  if (recipe === undefined) return given
  const known = await allRecipes()
  const found = known.find(({ name }) => name === recipe)
  if (found) return { ...found.settings, ...given }
  const names = known.map(({ name }) => name)
  const near = nearest(recipe, names)
  throw new InvalidArgument(
    `train: there is no recipe '${recipe}'. ${
      near.length > 0
        ? `Did you mean ${near.map(name => `'${name}'`).join(' or ')}? 'eraserelu recipes' lists all.`
        : `Known: ${names.join(', ')}.`
    }`,
  )
}
