import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { makeAuthority } from '../../deploy/local/certificate.ts';
import { filesOf } from '../../deploy/local/layout.ts';
import { writePrivateFile } from '../../deploy/local/state-file.ts';

/** Names that the sandbox answers to when it stands in for Google towards a stock Chromium. */
const NAMES = 'DNS:localhost,IP:127.0.0.1,DNS:fcm.googleapis.com,DNS:jmt17.google.com';

/**
 * Puts an authority and a certificate for Google's push hosts into a state folder, where `make run`'s own would be; call it
 * before anything starts there. Made by openssl. Returns the hash of the key as Chromium's switch
 * `--ignore-certificate-errors-spki-list` takes it.
 */
export function writeGoogleCertificate(stateDir: string): string {
  const files = filesOf(stateDir);
  const authority = makeAuthority(Date.now());
  writePrivateFile(files.caCert, authority.certificate);
  writePrivateFile(files.caKey, authority.privateKey);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'],
      ...['-days', '90', '-subj', '/CN=localhost', '-CA', files.caCert, '-CAkey', files.caKey],
      ...['-addext', `subjectAltName=${NAMES}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-keyout', files.tlsKey, '-out', files.tlsCert],
    ],
    { stdio: 'pipe' },
  );
  const { publicKey } = new X509Certificate(readFileSync(files.tlsCert));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}
