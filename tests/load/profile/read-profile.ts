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
  ['idle', (url, name) => name === '(idle)' || url.startsWith('node:inspector')],
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
  ['Node’s own JavaScript: event loop, timers, streams', (url) => url.startsWith('node:')],
];

export interface Share {
  readonly category: string;
  readonly micros: number;
  /** Names of the functions that took most of it. */
  readonly longest: readonly string[];
}

const FUNCTIONS = 4;

/** Self time by category, longest first; idle time is left out. */
export function sharesOf(file: string): Share[] {
  const { nodes, samples, timeDeltas } = Profile.parse(JSON.parse(readFileSync(file, 'utf8')));
  const categoryOf = new Map(
    nodes.map(({ id, callFrame }) => {
      const fitting = CATEGORIES.find(([, fits]) => fits(callFrame.url, callFrame.functionName));
      return [id, fitting?.[0] ?? 'other'];
    }),
  );
  const nameOf = new Map(
    nodes.map(({ id, callFrame }) => [id, callFrame.functionName || '(anonymous)']),
  );
  const micros = new Map<string, { micros: number; functions: Map<string, number> }>();
  for (const [i, node] of samples.entries()) {
    const category = categoryOf.get(node) ?? 'other';
    const share = micros.get(category) ?? { micros: 0, functions: new Map() };
    micros.set(category, share);
    const delta = timeDeltas[i] ?? 0;
    const name = nameOf.get(node) ?? '';
    share.micros += delta;
    share.functions.set(name, (share.functions.get(name) ?? 0) + delta);
  }
  micros.delete('idle');
  return [...micros]
    .map(([category, share]) => ({
      category,
      micros: share.micros,
      longest: [...share.functions]
        .sort(([, a], [, b]) => b - a)
        .slice(0, FUNCTIONS)
        .map(([name]) => name),
    }))
    .sort((a, b) => b.micros - a.micros);
}
