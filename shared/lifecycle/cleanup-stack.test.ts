import { expect, test } from '@jest/globals';
import { CleanupStack, startWithCleanup } from './cleanup-stack.ts';

test('clean-ups run last in first out, once, and one that fails does not keep the next from running', async () => {
  const ran: string[] = [];
  const stack = new CleanupStack(50);
  stack.add('first', () => ran.push('first'));
  stack.add('throws', () => {
    throw new Error('no');
  });
  stack.add('rejects', () => Promise.reject(new Error('no')));
  stack.add('hangs', () => new Promise(() => undefined));
  stack.add('last', async () => ran.push('last'));
  const outcome = await stack.close().catch((error: unknown) => error);
  expect(ran).toEqual(['last', 'first']);
  expect(outcome).toBeInstanceOf(AggregateError);
  expect((outcome as AggregateError).errors.map((error: Error) => error.message)).toEqual([
    'clean-up "hangs" failed',
    'clean-up "rejects" failed',
    'clean-up "throws" failed',
  ]);
  await stack.close().catch(() => undefined);
  expect(ran).toHaveLength(2);
});

test('a start that fails half-way undoes what it did and throws its own error', async () => {
  const ran: string[] = [];
  const start = startWithCleanup(async (cleanup) => {
    cleanup.add('file', () => ran.push('file'));
    cleanup.add('broken', () => Promise.reject(new Error('clean-up')));
    throw new Error('port is taken');
  });
  await expect(start).rejects.toThrow('port is taken');
  expect(ran).toEqual(['file']);
});

test('a start that works hands over its handle; closing it cleans up', async () => {
  const ran: string[] = [];
  const handle = await startWithCleanup(async (cleanup) => {
    cleanup.add('server', () => ran.push('server'));
    return { port: 42 };
  });
  expect([handle.port, ran]).toEqual([42, []]);
  await handle.close();
  expect(ran).toEqual(['server']);
});
