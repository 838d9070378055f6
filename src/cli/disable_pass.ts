/** `--disable-pass` of the commands that measure. */
import { Option } from 'commander'
import { optionalPasses } from '../graph/passes/optional.js'

export const disablePassOption = (): Option =>
  new Option('--disable-pass <names...>', 'leave out passes that only make a plan faster or smaller').choices(optionalPasses)
