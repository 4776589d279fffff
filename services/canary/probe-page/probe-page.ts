import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Express, Response } from 'express';
import { bundleScript } from '../../../shared/web/bundle-script.ts';
import { probeHtml } from './probe-html.ts';

const WEB = fileURLToPath(new URL('./web/', import.meta.url));

/** Everything from here, nothing inline, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SCRIPT = 'text/javascript; charset=utf-8';

/** The page by which a phone or a kiosk becomes a receiver: made at the first call, since most canaries are never asked. */
export function addProbePage(app: Express): void {
  const scripts = new Map<string, Promise<Uint8Array>>();
  const script = (entry: string, format: 'esm' | 'iife') => {
    const known = scripts.get(entry) ?? bundleScript(`${WEB}${entry}`, format);
    scripts.set(entry, known);
    return known;
  };
  app.get('/probe', (_request, response) =>
    send(response, 'text/html; charset=utf-8', probeHtml()),
  );
  app.get('/probe.js', async (_request, response) =>
    send(response, SCRIPT, await script('page.ts', 'esm')),
  );
  app.get('/probe-sw.js', async (_request, response) =>
    send(response, SCRIPT, await script('sw.ts', 'iife')),
  );
  const files = {
    '/probe.css': ['style.css', 'text/css; charset=utf-8'],
    '/probe-icon.svg': ['icon.svg', 'image/svg+xml'],
    '/probe.webmanifest': ['manifest.webmanifest', 'application/manifest+json'],
  } as const;
  for (const [path, [file, type]] of Object.entries(files))
    app.get(path, (_request, response) => send(response, type, readFileSync(`${WEB}${file}`)));
}

function send(response: Response, type: string, body: string | Uint8Array): void {
  response
    .set({
      'Content-Type': type,
      'Content-Security-Policy': POLICY,
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
    .end(body);
}
