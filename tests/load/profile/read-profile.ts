import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** V8's CPU profile: nodes of the call tree, and which one was on top at each sample. */
const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
    }),
  ),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});

/** Where time is spent, by what the function on top belongs to. The first that fits counts. */
const CATEGORIES: readonly [name: string, fits: (url: string, name: string) => boolean][] = [
  ['idle', (_url, name) => name === '(idle)'],
  ['garbage collection', (_url, name) => name === '(garbage collector)'],
  [
    'sealing (AES-GCM) and prepared keys',
    (url) => /web-push\/(prepared|seal)\/|seal-|wasm/.test(url),
  ],
  ['encryption at alert time', (url) => /web-push\/encrypt|internal\/crypto/.test(url)],
  ['our frames and header blocks', (url) => url.includes('/framed-http2/')],
  [
    'node:http2',
    (url) =>
      url.includes('internal/http2') || url.includes('http2-link') || url.includes('http2-pool'),
  ],
  ['the transport: target, headers, outcome', (url) => url.includes('/dispatcher/transports/')],
  ['metrics', (url) => url.includes('prom-client')],
  ['the benchmark itself', (url) => url.includes('/tests/load/')],
  [
    'TLS and sockets, in JavaScript',
    (url) =>
      /node:(?:_tls|net|internal\/(?:stream_base|streams|tls))|node:internal\/js_stream/.test(url),
  ],
  [
    'TLS, sockets and kernel, native',
    (_url, name) =>
      name === '(program)' ||
      /^(?:writeBuffer|writev|writeUtf8String|writeLatin1String)$/.test(name),
  ],
  ['timers and event loop', (url) => url.startsWith('node:')],
];

export interface Share {
  readonly category: string;
  readonly micros: number;
}

/** Self time by category, longest first; idle time is left out. */
export function sharesOf(file: string): Share[] {
  const { nodes, samples, timeDeltas } = Profile.parse(JSON.parse(readFileSync(file, 'utf8')));
  const categoryOf = new Map(
    nodes.map(({ id, callFrame }) => {
      const fitting = CATEGORIES.find(([, fits]) => fits(callFrame.url, callFrame.functionName));
      return [id, fitting?.[0] ?? 'other'];
    }),
  );
  const micros = new Map<string, number>();
  for (const [i, node] of samples.entries()) {
    const category = categoryOf.get(node) ?? 'other';
    micros.set(category, (micros.get(category) ?? 0) + (timeDeltas[i] ?? 0));
  }
  micros.delete('idle');
  return [...micros]
    .map(([category, each]) => ({ category, micros: each }))
    .sort((a, b) => b.micros - a.micros);
}
