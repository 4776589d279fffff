import { isIP, type Socket } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';

/** What a TLS server shows. */
export interface SeenCertificate {
  /** Earliest end in the chain that it shows, milliseconds since 1970: an intermediate certificate ends too. */
  readonly expiresAtMs: number;
  /** Why a client would not go on with it (expired, another name, unknown authority); undefined: it would. */
  readonly refusal: string | undefined;
}

export interface CertificatePlace {
  readonly host: string;
  readonly port: number;
  /** A certificate authority besides the system's, as PEM. */
  readonly ca?: string;
  /** Where something was said before TLS began (NATS); closed afterwards. */
  readonly socket?: Socket;
}

/** Issuers above a server's own certificate that are looked at. */
const MAX_CHAIN = 10;

/**
 * One handshake over a connection of its own. Nothing is sent over it, so that a certificate that nobody should trust can
 * be looked at too. Rejects when there is no handshake in time.
 */
export function lookAtCertificate(
  { host, port, ca, socket: before }: CertificatePlace,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<SeenCertificate> {
  const { promise, resolve, reject } = Promise.withResolvers<SeenCertificate>();
  const socket = connect({
    ...(before === undefined ? { host, port } : { socket: before, host }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: before === undefined ? ['h2', 'http/1.1'] : [],
    rejectUnauthorized: false,
  });
  const end = (settle: () => void) => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    settle();
    socket.destroy();
    before?.destroy();
  };
  const onAbort = () => end(() => reject(new Error('stopped')));
  const timer = setTimeout(() => end(() => reject(new Error('no handshake in time'))), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.once('secureConnect', () =>
    end(() => {
      const expiresAtMs = earliestEnd(socket.getPeerCertificate(true));
      if (expiresAtMs === undefined) reject(new Error('no certificate was shown'));
      else resolve({ expiresAtMs, refusal: socket.authorized ? undefined : whyNot(socket) });
    }),
  );
  socket.on('error', (error) => end(() => reject(error)));
  socket.once('close', () => end(() => reject(new Error('closed'))));
  if (signal?.aborted) onAbort();
  return promise;
}

function whyNot({ authorizationError }: { authorizationError: unknown }): string {
  if (authorizationError instanceof Error)
    return (authorizationError as NodeJS.ErrnoException).code ?? authorizationError.message;
  return String(authorizationError);
}

function earliestEnd(certificate: DetailedPeerCertificate): number | undefined {
  let earliest: number | undefined;
  let at: DetailedPeerCertificate | undefined = certificate;
  for (let i = 0; i < MAX_CHAIN && at?.valid_to !== undefined; i++) {
    const endMs = Date.parse(at.valid_to);
    if (!Number.isNaN(endMs)) earliest = Math.min(endMs, earliest ?? endMs);
    const issuer: DetailedPeerCertificate | undefined = at.issuerCertificate;
    // A root is its own issuer.
    if (issuer === at || issuer?.fingerprint256 === at.fingerprint256) break;
    at = issuer;
  }
  return earliest;
}
