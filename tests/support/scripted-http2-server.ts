import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { CODE, FLAG, FRAME } from '../../services/dispatcher/transports/framed-http2/frame.ts';
import { FrameReader } from '../../services/dispatcher/transports/framed-http2/frame-reader.ts';
import type { Certificate } from '../../services/dispatcher/transports/test-support/certificate.ts';

const PREFACE_BYTES = 24;

export interface ScriptedConnection {
  readonly socket: TLSSocket;
  /** Bytes that the test has made itself, right or wrong. */
  readonly send: (...frames: readonly Uint8Array[]) => void;
}

export interface Script {
  readonly onConnection?: (connection: ScriptedConnection) => void;
  /** A request has come whole. */
  readonly onRequest?: (connection: ScriptedConnection, streamId: number) => void;
}

/** An HTTP/2 server that does nothing by itself: what it sends, and when, is the test's. */
export class ScriptedHttp2Server {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  connections = 0;

  private constructor(certificate: Certificate, script: Script) {
    this.#server = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
      serve(socket, script);
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(certificate: Certificate, script: Script): Promise<ScriptedHttp2Server> {
    const scripted = new ScriptedHttp2Server(certificate, script);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function serve(socket: TLSSocket, script: Script): void {
  const connection: ScriptedConnection = {
    socket,
    send: (...frames) => {
      if (!socket.destroyed) socket.write(Buffer.concat(frames));
    },
  };
  const frames = new FrameReader({
    onFrame: (type, flags, streamId) => {
      const isRequest = type === FRAME.HEADERS || type === FRAME.DATA;
      if (isRequest && (flags & FLAG.END_STREAM) !== 0) script.onRequest?.(connection, streamId);
      return CODE.NO_ERROR;
    },
  });
  let preface = PREFACE_BYTES;
  socket.on('data', (chunk: Buffer) => {
    const skipped = Math.min(preface, chunk.length);
    preface -= skipped;
    frames.read(chunk.subarray(skipped));
  });
  script.onConnection?.(connection);
}
