import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { DeviceMessage } from '../../../shared/envelope/device-message.ts';
import { listen } from '../../../shared/http/listen.ts';
import { eventually } from '../../../tests/support/edge.ts';
import { watchRealAlert } from './watch-real-alert.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const id = (letter: string) => letter.repeat(32);

/** An edge whose newest alert this is. */
async function edge(letter: string, sent: string) {
  const info = [{ language: 'fr-FR', headline: letter, senderName: 'x' }];
  const alert = { sent, status: 'Actual', msgType: 'Alert', info };
  const body = JSON.stringify({ alerts: [{ id: id(letter), alert }] });
  const { port, close } = await listen((_request, response) => response.end(body), {
    host: '127.0.0.1',
    port: 0,
  });
  return { peer: { name: letter, site: letter, url: `http://127.0.0.1:${port}` }, close };
}

test('the newest alert is followed; of several of one second the one that was known first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-last-alert-'));
  const sameSecond = '2026-07-14T22:31:00+02:00';
  const edges = [
    await edge('a', '2026-07-14T22:30:00+02:00'),
    await edge('b', sameSecond),
    await edge('c', sameSecond),
  ];
  const own = { id: id('d'), sent: sameSecond, language: 'fr-FR', headline: 'd', status: 'Actual' };
  const message = { ...own, msgType: 'Alert', senderName: 'x' } as DeviceMessage;
  const stop = new AbortController();
  let ownIsThere = false;
  const watched = watchRealAlert(
    {
      dataDir: folder,
      internalToken: 'token',
      edges: edges.map(({ peer }) => peer),
      dispatchers: [],
      canaries: [],
    },
    {
      ownLatest: () => (ownIsThere ? { message, witnesses: [] } : undefined),
      ownAnswer: () => ({ v: 1, canary: 'a', probes: 2, witnesses: [] }),
      verifyEnvelope: () => Promise.reject(new Error('nobody is asked')),
      wallNow: () => NOW,
      signal: stop.signal,
    },
  );
  await eventually('the edges have answered', () => watched.latest());
  ownIsThere = true;
  expect(watched.latest()).toMatchObject({ id: id('b'), headlines: { fr: 'b' }, probes: 2 });
  stop.abort();
  await watched.running;
  for (const { close } of edges) await close();
  rmSync(folder, { recursive: true });
});
