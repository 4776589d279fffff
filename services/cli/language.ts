import { ENGLISH } from './texts-en.ts';
import { FRENCH, type Texts } from './texts-fr.ts';

/**
 * `--lang` wherever it stands, or the machine's language: English where it says so, French everywhere else. Looked up
 * before the command line is parsed, because the help speaks the language too.
 */
export function textsFor(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Texts {
  const at = args.indexOf('--lang');
  const chosen =
    args.find((each) => each.startsWith('--lang='))?.slice(7) ??
    (at < 0 ? undefined : args[at + 1]);
  const language = chosen ?? env['LC_ALL'] ?? env['LC_MESSAGES'] ?? env['LANG'] ?? '';
  return language.startsWith('en') ? ENGLISH : FRENCH;
}
