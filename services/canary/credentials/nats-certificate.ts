import { connect } from 'node:net';
import {
  lookAtCertificate,
  type SeenCertificate,
} from '../../../shared/tls/look-at-certificate.ts';

/** A server says a line of at most some kilobytes. */
const MAX_INFO_BYTES = 64 * 1024;

/**
 * The certificate of a NATS server. It speaks first, in clear (`INFO {…}`, NATS client protocol), and TLS begins after
 * that line. Rejects when there is no handshake in time.
 */
export async function lookAtNatsCertificate(
  { host, port, ca }: { host: string; port: number; ca?: string },
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<SeenCertificate> {
  const socket = connect({ host, port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('no INFO in time')), timeoutMs);
  const onAbort = () => reject(new Error('stopped'));
  signal.addEventListener('abort', onAbort, { once: true });
  let text = '';
  const onData = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.includes('\r\n')) resolve();
    else if (text.length > MAX_INFO_BYTES) reject(new Error('not a NATS server'));
  };
  socket.on('data', onData);
  socket.on('error', reject);
  socket.once('close', () => reject(new Error('closed')));
  try {
    await promise;
    socket.off('data', onData);
    socket.pause();
    return await lookAtCertificate(
      { host, port, socket, ...(ca === undefined ? {} : { ca }) },
      { timeoutMs, signal },
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
