import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../test-support/certificate.ts';

/** A key and a certificate for `localhost`, its own authority, that was good on one day of 2020. Made with openssl. */
export function makeExpiredCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-expired-'));
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { stdio: 'ignore', cwd: folder });
  try {
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(
      join(folder, 'ca.cnf'),
      `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes
default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied
[names]\nsubjectAltName=DNS:localhost\nbasicConstraints=CA:true\n`,
    );
    openssl(
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-out',
      'key.pem',
    );
    openssl('req', '-new', '-key', 'key.pem', '-subj', '/CN=localhost', '-out', 'request.pem');
    openssl(
      ...['ca', '-selfsign', '-batch', '-notext', '-config', 'ca.cnf', '-keyfile', 'key.pem'],
      ...['-in', 'request.pem', '-out', 'cert.pem'],
      ...['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'],
    );
    return {
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
      cert: readFileSync(join(folder, 'cert.pem'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
