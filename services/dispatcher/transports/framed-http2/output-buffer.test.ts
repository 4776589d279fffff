import { expect, test } from '@jest/globals';
import { OutputBuffer } from './output-buffer.ts';

function started(isIdle: () => boolean) {
  const writes: Buffer[] = [];
  const counts = { pending: 0 };
  const out = new OutputBuffer({
    write: (bytes) => writes.push(bytes),
    isIdle,
    onPending: () => counts.pending++,
  });
  return { out, writes, counts };
}

test('what is put in one turn goes out in one write, in order; nothing that has not left is overwritten', () => {
  const { out, writes, counts } = started(() => false);
  const expected: Buffer[] = [];
  for (let i = 0; i < 3_000; i++) {
    const frame = Buffer.alloc(1 + (i % 200), i);
    expected.push(frame);
    out.put(frame);
    if (i % 50 === 49) {
      out.flush();
      out.flush();
    }
  }
  out.flush();
  expect(Buffer.concat(writes).equals(Buffer.concat(expected))).toBe(true);
  expect(writes.length).toBeLessThan(70);
  expect(counts.pending).toBe(writes.length);
});

test('the memory is used again when all has left, and only then', () => {
  let idle = false;
  const { out, writes } = started(() => idle);
  const put = (text: string) => {
    out.put(Buffer.from(text));
    out.flush();
  };
  put('one');
  put('two');
  expect(writes.map(String)).toEqual(['one', 'two']);
  idle = true;
  put('six');
  expect(writes.map(String)).toEqual(['six', 'two', 'six']);
  // What is not flushed has not left, whatever the socket says.
  out.put(Buffer.from('a'));
  out.put(Buffer.from('b'));
  out.flush();
  expect(String(writes.at(-1))).toBe('ab');
});
