import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertifiedKey, makeLocalhostCertificate } from '../../deploy/local/certificate.ts';

const DAY_MS = 86_400_000;
/** A local certificate lives for 397 days. */
const LONG_AGO_MS = 400 * DAY_MS;

/** Two certificates of an authority that senders trust, neither of which they may take for their provider's. */
export function makeBadCertificates(
  authority: CertifiedKey,
  nowMs: number,
): Readonly<Record<'expired' | 'wrong-name', CertifiedKey>> {
  return {
    expired: makeLocalhostCertificate(authority, nowMs - LONG_AGO_MS),
    'wrong-name': makeCertificateOfElsewhere(authority),
  };
}

/** For `elsewhere.example`, by openssl. */
function makeCertificateOfElsewhere(authority: CertifiedKey): CertifiedKey {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-elsewhere-'));
  const file = (name: string) => join(folder, name);
  try {
    writeFileSync(file('ca.pem'), authority.certificate);
    writeFileSync(file('ca.key'), authority.privateKey);
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'],
        ...['-days', '2', '-subj', '/CN=elsewhere.example'],
        ...['-CA', file('ca.pem'), '-CAkey', file('ca.key')],
        ...['-addext', 'subjectAltName=DNS:elsewhere.example'],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
        ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ],
      { stdio: 'pipe' },
    );
    const read = (name: string) => readFileSync(file(name), 'utf8');
    return { privateKey: read('key.pem'), certificate: read('cert.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
