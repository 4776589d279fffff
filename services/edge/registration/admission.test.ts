import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import express from 'express';
import { finishApp } from '../../../shared/http/app.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { limitInFlight, retryAfterSeconds } from './admission.ts';

test('P10: beyond its share the public side says 503 with a spread time to wait, and serves again when one is done', async () => {
  let shed = 0;
  const gate = Promise.withResolvers<void>();
  const app = express();
  app.get(
    '/',
    limitInFlight(
      1,
      () => shed++,
      () => 0.5,
    ),
    async (_request, response) => {
      await gate.promise;
      response.end();
    },
  );
  finishApp(app, createLogger('test', 'a', 'silent'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const answers = [fetch(url), fetch(url)];
    const first = await Promise.race(answers);
    expect(first.status).toBe(503);
    expect(Number(first.headers.get('retry-after'))).toBe(6);
    expect(shed).toBe(1);
    gate.resolve();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 503]);
    expect((await fetch(url)).status).toBe(200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a crowd is told times that differ', () => {
  expect(retryAfterSeconds(() => 0)).toBe(2);
  expect(retryAfterSeconds(() => 0.999)).toBe(10);
});
