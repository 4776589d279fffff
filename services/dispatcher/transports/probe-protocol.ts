import { connect } from 'node:tls';
import { socketAddress } from './origin.ts';

/** What a server speaks, as it says itself (ALPN, RFC 7301); `unreachable` with the reason when it says nothing. */
export type ProbeResult =
  | { readonly kind: 'h2' }
  | { readonly kind: 'http/1.1' }
  | { readonly kind: 'unreachable'; readonly detail: string };

export interface ProbeOptions {
  /** `https://host[:port]` */
  readonly origin: string;
  readonly timeoutMs: number;
  readonly ca?: string;
}

/** Asks once, over a connection of its own, with the certificate checked. Never rejects. */
export function probeProtocol({ origin, timeoutMs, ca }: ProbeOptions): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const socket = connect({
    ...socketAddress(origin),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...(ca === undefined ? {} : { ca }),
  });
  const end = (result: ProbeResult) => {
    clearTimeout(timer);
    resolve(result);
    socket.destroy();
  };
  const timer = setTimeout(
    () => end({ kind: 'unreachable', detail: 'no connection in time' }),
    timeoutMs,
  );
  // A server that chooses nothing does not know ALPN, and so no HTTP/2.
  socket.once('secureConnect', () =>
    end({ kind: socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1' }),
  );
  socket.on('error', (error) => end({ kind: 'unreachable', detail: error.message }));
  socket.once('close', () => end({ kind: 'unreachable', detail: 'closed' }));
  return promise;
}
