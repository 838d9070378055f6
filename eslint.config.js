// Lint rules, and the two rules of the architecture: imports point one way, and only runtime/addon.ts loads the .node file.
import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

// A folder of src/ may import from itself and from the levels before its own.
const levels = [['runtime'], ['graph'], ['nn'], ['models', 'optim', 'data', 'interop'], ['train'], ['study'], ['cli']]

const importDirections = levels.flatMap((folders, level) =>
  folders.map(folder => {
    const allowed = [folder, ...levels.slice(0, level).flat()]
    const group = levels
      .flat()
      .filter(other => !allowed.includes(other))
      .map(other => `**/${other}/**`)
    const message = `src/${folder}/ may import only from ${allowed.join(', ')}: imports point one way.`
    return {
      files: [`src/${folder}/**/*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns: group.length > 0 ? [{ group, message }] : [] }] },
    }
  }),
)

const addonOnlyInRuntime = {
  files: ['src/**/*.ts'],
  ignores: ['src/runtime/addon.ts'],
  rules: {
    'no-restricted-syntax': [
      'error',
      { selector: 'Literal[value=/\\.node$/]', message: 'Only src/runtime/addon.ts loads the native addon.' },
    ],
  },
}

export default defineConfig(
  { ignores: ['dist/', '**/build/', 'build-asan/', '.deps/', 'runs/', 'test/packaging/types/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Checks of what an untyped caller may pass look unnecessary to these two.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowArray: true }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: { globals: { Buffer: 'readonly', console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  ...importDirections,
  addonOnlyInRuntime,
)
