import { expect, test } from '@jest/globals';
import { OutputBuffer } from './output-buffer.ts';

test('what is put in one turn goes out in one write, in order; nothing that went out is overwritten', () => {
  const writes: Buffer[] = [];
  let pending = 0;
  const out = new OutputBuffer(
    (bytes) => writes.push(bytes),
    () => pending++,
  );
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
  expect(pending).toBe(writes.length);
});
