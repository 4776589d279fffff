import { type BuildOptions, build, type Plugin } from 'esbuild';

/** Zod brings its error texts in fifty languages, more than half of a worker; a device shows none of them. */
const withoutErrorTexts: Plugin = {
  name: 'without-error-texts',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export {};',
    }));
  },
};

/**
 * Bundles a browser's script from its TypeScript source into memory: `esm` for a page, `iife` for a service worker (one
 * classic script without imports, which every browser with push takes).
 */
export async function bundleScript(entryPath: string, format: 'esm' | 'iife'): Promise<Uint8Array> {
  const options = {
    entryPoints: [entryPath],
    format,
    bundle: true,
    write: false,
    minify: true,
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [withoutErrorTexts],
  } satisfies BuildOptions;
  const { outputFiles } = await build(options);
  const file = outputFiles[0];
  if (!file) throw new Error(`the bundler made no file of ${entryPath}`);
  return file.contents;
}
