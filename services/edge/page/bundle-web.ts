import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { type StaticAnswer, staticAnswer } from './static-answer.ts';

/** The browser's files, by path. */
export type WebAssets = ReadonlyMap<string, StaticAnswer>;

const WEB = fileURLToPath(new URL('../web/', import.meta.url));

/** Asked again each time, answered 304: an old script with a new page would be worse than a question. */
const CACHE = 'no-cache';

/** Zod brings its error texts in fifty languages, more than half of the worker; a device shows none of them. */
const withoutErrorTexts: Plugin = {
  name: 'without-error-texts',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export {};',
    }));
  },
};

/**
 * Bundles the page's script and the service worker from their TypeScript sources into memory. The worker is a classic
 * script (one function, no imports), which every browser with push takes.
 */
export async function bundleWeb(): Promise<WebAssets> {
  const [page, worker] = await Promise.all([bundle('page.ts', 'esm'), bundle('sw.ts', 'iife')]);
  const files: [string, string | Uint8Array, string][] = [
    ['/page.js', page, 'text/javascript; charset=utf-8'],
    ['/sw.js', worker, 'text/javascript; charset=utf-8'],
    ['/style.css', await readFile(`${WEB}style.css`), 'text/css; charset=utf-8'],
    ['/icon.svg', await readFile(`${WEB}icon.svg`), 'image/svg+xml'],
    [
      '/manifest.webmanifest',
      await readFile(`${WEB}manifest.webmanifest`),
      'application/manifest+json',
    ],
  ];
  return new Map(
    files.map(([path, body, type]) => [
      path,
      staticAnswer(body, { 'Content-Type': type, 'Cache-Control': CACHE }),
    ]),
  );
}

async function bundle(entry: string, format: 'esm' | 'iife'): Promise<Uint8Array> {
  const options = {
    entryPoints: [WEB + entry],
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
  if (!file) throw new Error(`the bundler made no file of ${entry}`);
  return file.contents;
}
