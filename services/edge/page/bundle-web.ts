import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleScript } from '../../../shared/web/bundle-script.ts';
import { type StaticAnswer, staticAnswer } from './static-answer.ts';

/** The browser's files, by path. */
export type WebAssets = ReadonlyMap<string, StaticAnswer>;

const WEB = fileURLToPath(new URL('../web/', import.meta.url));

/** Asked again each time, answered 304: an old script with a new page would be worse than a question. */
const CACHE = 'no-cache';

/**
 * Bundles the page's script and the service worker from their TypeScript sources into memory. The worker is a classic
 * script (one function, no imports), which every browser with push takes.
 */
export async function bundleWeb(): Promise<WebAssets> {
  const [page, worker] = await Promise.all([
    bundleScript(`${WEB}page.ts`, 'esm'),
    bundleScript(`${WEB}sw.ts`, 'iife'),
  ]);
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
