import { STATUS_CODES } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { sleep } from '../../shared/time/sleep.ts';
import type { ProviderAnswer } from './provider-answer.ts';

/**
 * Writes an answer; with `trickleMs` byte by byte, so long apart. In HTTP/1.1 that is every byte of it. In HTTP/2 the
 * headers are one frame and come whole; each byte of the body is a frame of its own, and the stream's end one more, which
 * an answer without a body has as well. Resolves when all of it is written or nobody is there any more.
 */
export async function writeAnswer(
  response: Http2ServerResponse,
  { status, headers, body, bytes: given }: ProviderAnswer,
  trickleMs: number,
): Promise<void> {
  if (response.destroyed || response.writableEnded) return;
  const bytes = given ?? Buffer.from(body === undefined ? '' : JSON.stringify(body));
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' };
  const all = { ...type, ...headers, 'content-length': bytes.length };
  if (trickleMs === 0) {
    response.writeHead(status, all);
    response.end(bytes);
    return;
  }
  // The API for both protocols is HTTP/2's; without a stream it is an HTTP/1.1 response.
  if (response.stream === undefined) {
    await trickleHttp1(response.socket, { status, headers: all, bytes }, trickleMs);
    return;
  }
  const { stream } = response;
  stream.respond({ ':status': status, ...all });
  for (const byte of bytes) {
    await sleep(trickleMs);
    if (stream.destroyed) return;
    stream.write(Buffer.of(byte));
  }
  await sleep(trickleMs);
  if (!stream.destroyed) stream.end();
}

/** The response object would write its head in one piece, so it is left out: the connection ends with this answer. */
async function trickleHttp1(
  socket: Socket,
  answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | number>>;
    readonly bytes: Buffer;
  },
  trickleMs: number,
): Promise<void> {
  const lines = Object.entries({ ...answer.headers, connection: 'close' });
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');
  for (const byte of Buffer.concat([Buffer.from(head), answer.bytes])) {
    await sleep(trickleMs);
    if (socket.destroyed) return;
    socket.write(Buffer.of(byte));
  }
  socket.end();
}
