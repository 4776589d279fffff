import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { Health } from '../lifecycle/health.ts';
import { createApp, finishApp, jsonBody } from './app.ts';
import { requireToken } from './bearer.ts';
import { FetchError, fetchJson } from './fetch-json.ts';
import { type Listening, listen } from './listen.ts';
import { invalidRequest, Problem, ProblemError } from './problem.ts';

let listening: Listening | undefined;
afterEach(() => listening?.close());

/** An app with one route for each way to fail. */
async function startApp(): Promise<{ url: string; health: Health; logged: string[] }> {
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => logged.push(line) });
  const health = new Health();
  const app = createApp({ log, health, metrics: new Registry() });
  app.post('/echo', jsonBody(100), (request, response) => {
    const parsed = z.strictObject({ a: z.int(), b: z.string() }).safeParse(request.body);
    if (!parsed.success) throw invalidRequest(parsed.error);
    response.json(parsed.data);
  });
  app.get('/bug', () => {
    throw new Error('the password is hunter2');
  });
  app.get('/busy', () => {
    throw new ProblemError(503, 'busy', 'Busy', { retryAfterSeconds: 7, action: 'Wait' });
  });
  app.get('/large', (_request, response) => {
    response.json('x'.repeat(5_000_000));
  });
  app.get('/inside', requireToken('secret'), (_request, response) => {
    response.json({ ok: true });
  });
  finishApp(app, log);
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${listening.port}`, health, logged };
}

const post = (url: string, body: string) =>
  fetch(`${url}/echo`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

test('every error is a problem document that says what to do', async () => {
  const { url } = await startApp();
  const table: [Response, number, string][] = [
    [await fetch(`${url}/nowhere`), 404, 'not-found'],
    [await post(url, '{'), 400, 'invalid-json'],
    [await post(url, JSON.stringify('x'.repeat(200))), 413, 'too-large'],
    [await post(url, '{"c":1}'), 400, 'invalid-request'],
    [await fetch(`${url}/bug`), 500, 'internal'],
    [await fetch(`${url}/busy`), 503, 'busy'],
    [await fetch(`${url}/inside`), 401, 'not-authenticated'],
  ];
  for (const [response, status, kind] of table) {
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = Problem.parse(await response.json());
    expect([problem.status, problem.type]).toEqual([
      status,
      `https://tocsin.example/problems/${kind}`,
    ]);
  }
});

test('all errors of a request are listed at once, by field', async () => {
  const { url } = await startApp();
  const problem = Problem.parse(await (await post(url, '{"a":"x","c":1}')).json());
  expect(problem.errors?.map(({ field }) => field).sort()).toEqual(['', 'a', 'b']);
});

test('a 500 never shows its cause to the client, and always to the log', async () => {
  const { url, logged } = await startApp();
  expect(await (await fetch(`${url}/bug`)).text()).not.toContain('hunter2');
  expect(logged.join()).toContain('hunter2');
});

test('busy says when to come back', async () => {
  const { url } = await startApp();
  expect((await fetch(`${url}/busy`)).headers.get('retry-after')).toBe('7');
});

test('ready only when started, every check holds and nobody has asked to stop', async () => {
  const { url, health } = await startApp();
  let fit = false;
  health.add({ name: 'journal', check: () => fit });
  const ready = async () => {
    const response = await fetch(`${url}/ready`);
    return [response.status, ((await response.json()) as { unready: string[] }).unready];
  };
  expect(await ready()).toEqual([503, ['starting', 'journal']]);
  health.started();
  fit = true;
  expect(await ready()).toEqual([200, []]);
  health.stopping();
  expect(await ready()).toEqual([503, ['stopping']]);
  expect((await fetch(`${url}/live`)).status).toBe(200);
});

test('the token of the system opens the inside, any other does not', async () => {
  const { url } = await startApp();
  const as = async (authorization: string) =>
    (await fetch(`${url}/inside`, { headers: { authorization } })).status;
  expect(await as('Bearer secret')).toBe(200);
  for (const wrong of ['Bearer Secret', 'Bearer secretx', 'Bearer ', 'Basic secret', 'secret'])
    expect(await as(wrong)).toBe(401);
});

test('an answer that is an error, too large, or of another shape is a FetchError with what is known', async () => {
  const { url } = await startApp();
  const ask = (path: string) =>
    fetchJson(`${url}${path}`, {
      schema: z.object({ ok: z.literal(true) }),
      timeoutMs: 2_000,
      token: 'secret',
    }).catch((error: unknown) => error);
  expect(await ask('/inside')).toEqual({ ok: true });
  expect(await ask('/busy')).toMatchObject({ status: 503, body: { title: 'Busy' } });
  expect(await ask('/live')).toMatchObject({ status: 200 });
  const tooLarge = await ask('/large');
  expect(tooLarge).toBeInstanceOf(FetchError);
  expect(tooLarge).toMatchObject({ status: undefined });
});
