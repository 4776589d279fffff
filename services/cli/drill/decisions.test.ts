import { expect, test } from '@jest/globals';
import { listen } from '../../../shared/http/listen.ts';
import { isAboutTransport, pagedAlerts } from './alertmanager.ts';
import { isLive } from './checks.ts';
import { compareCounts } from './compare-counts.ts';
import { runCommand } from './run-command.ts';

const shown = (state: string, msgType = 'Alert', responses: string[][] = [['Shelter']]) => ({
  id: 'x',
  state,
  alert: {
    status: 'Actual',
    msgType,
    info: responses.map((responseType) => ({ responseType })),
  },
});

test.each([
  ['an alert that is active', shown('active'), true],
  ['an update that is active', shown('active', 'Update'), true],
  [
    'one that only partly says all clear',
    shown('active', 'Update', [['AllClear'], ['Avoid']]),
    true,
  ],
  ['one without a response type', shown('active', 'Alert', [[]]), true],
  ['an all-clear', shown('active', 'Update', [['AllClear'], ['AllClear']]), false],
  ['a cancel, which stands on the page until it expires', shown('active', 'Cancel'), false],
  ['an alert that was cancelled', shown('cancelled'), false],
  ['one that was replaced', shown('replaced'), false],
  ['one that expired', shown('expired'), false],
])('no drill while people go by an alert: %s', (_what, alert, expected) => {
  expect(isLive(alert)).toBe(expected);
});

test('a restored copy has the counts that the dispatchers said before or after, or between; every other is named', () => {
  const before = { '06': { fcm: 10, 'web-push': 5 }, '13': { fcm: 3, 'web-push': 0 } };
  const after = { '06': { fcm: 12, 'web-push': 5 }, '13': { fcm: 3, 'web-push': 0 } };
  expect(compareCounts({ ...before, '06': { fcm: 11, 'web-push': 5 } }, [before, after])).toEqual(
    [],
  );
  expect(compareCounts({ '06': { fcm: 13, 'web-push': 4 } }, [before, after])).toEqual([
    '06 fcm 13, live 10 to 12',
    '06 web-push 4, live 5',
    '13 fcm 0, live 3',
  ]);
  expect(compareCounts({ ...before, '2A': { fcm: 1 } }, [before])).toEqual(['2A fcm 1, live 0']);
});

const alert = (labels: Record<string, string>, state = 'active', receivers = ['pager']) => ({
  labels: { severity: 'page', ...labels },
  status: { state },
  receivers: receivers.map((name) => ({ name })),
});

test.each([
  [{ alertname: 'TransportUnproved', transport: 'fcm' }, true],
  [{ alertname: 'NoProof' }, true],
  [{ alertname: 'RouteUnproved', path: 'a:bus:b:fcm' }, true],
  [{ alertname: 'RouteUnproved', path: 'a:bus:b:web-push' }, false],
  [{ alertname: 'TransportUnproved', transport: 'web-push' }, false],
  [{ alertname: 'OneSite' }, false],
])('a page about deaf FCM probes: %p %p', (labels, expected) => {
  expect(isAboutTransport(alert(labels), 'fcm')).toBe(expected);
});

test('only what Alertmanager gives to a pager is a page: tickets, suppressed alerts and those without a receiver are none', async () => {
  const asked: string[] = [];
  const server = await listen(
    (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify([
          alert({ alertname: 'Ticket', severity: 'ticket' }),
          alert({ alertname: 'Held' }, 'suppressed'),
          alert({ alertname: 'Nobody' }, 'active', []),
          alert({ alertname: 'Page' }),
        ]),
      );
    },
    { host: '127.0.0.1', port: 0 },
  );
  const url = `http://127.0.0.1:${server.port}/alertmanager`;
  expect(await pagedAlerts(url, () => true)).toEqual(['Page']);
  expect(asked[0]).toMatch(
    /^\/alertmanager\/api\/v2\/alerts\?active=true&silenced=false&inhibited=false/,
  );
  await server.close();
  expect(await pagedAlerts(url, () => true)).toBeUndefined();
});

test('the operator’s command runs without a shell, and what went wrong is said', async () => {
  const { signal } = new AbortController();
  const script = 'process.exit(process.argv[1] === "$(id); true" ? 0 : 1)';
  expect(await runCommand([process.execPath, '-e', script, '$(id); true'], signal)).toBeUndefined();
  const failing = 'process.stderr.write("no such unit\\n"); process.exit(5)';
  expect(await runCommand([process.execPath, '-e', failing], signal)).toMatch(
    /ended with 5: no such unit$/,
  );
  expect(await runCommand(['/nowhere/at/all'], signal)).toContain('ENOENT');
  const stop = new AbortController();
  const stopped = runCommand([process.execPath, '-e', 'setInterval(() => {}, 1000)'], stop.signal);
  stop.abort();
  expect(await stopped).toContain('abort');
});
