import { expect, test } from '@jest/globals';
import { figuresOf, Jsz } from './nats-answers.ts';

const stream = (name: string, changes: object = {}) => ({
  name,
  config: { max_bytes: 1_000, discard: 'new' },
  state: { messages: 3, bytes: 500, first_seq: 1 },
  ...changes,
});
const answer = (changes: object) => ({
  config: { sync_always: true, max_storage: 10_000, store_dir: '/data' },
  storage: 600,
  api: { total: 10, errors: 2 },
  ...changes,
});

test('what a server says becomes figures of our own streams; the reader that is furthest behind counts', () => {
  const consumer_detail = [{ num_pending: 2 }, { num_pending: 40, name: 'x' }, {}];
  const streams = [stream('REGISTRY', { consumer_detail }), stream('SOMEBODY_ELSES')];
  const jsz = Jsz.parse(answer({ account_details: [{ name: 'APP', stream_detail: streams }] }));
  expect(figuresOf(jsz)).toEqual({
    syncAlways: true,
    storageBytes: 600,
    storageLimitBytes: 10_000,
    apiErrors: 2,
    streams: [
      { stream: 'REGISTRY', messages: 3, bytes: 500, limitBytes: 1_000, consumers: 3, pending: 40 },
    ],
  });
});

test('P1: a server that does not say that it syncs does not sync', () => {
  const config = { max_storage: 1 };
  expect(figuresOf(Jsz.parse(answer({ config }))).syncAlways).toBe(false);
  expect(Jsz.safeParse(answer({ config: { sync_always: 'yes' } })).success).toBe(false);
});

test('P12: an answer with more than a server of ours can have is refused', () => {
  const stream_detail = Array.from({ length: 501 }, (_, i) => stream(`S${i}`));
  expect(Jsz.safeParse(answer({ account_details: [{ stream_detail }] })).success).toBe(false);
});

test('a server without JetStream accounts has no streams', () => {
  expect(figuresOf(Jsz.parse(answer({}))).streams).toEqual([]);
});
