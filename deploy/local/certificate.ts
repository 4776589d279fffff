import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { bits, der, integer, octets, oid, sequence, set, TRUE, utcTime, utf8 } from './der.ts';

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly privateKey: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_NAME = 'Tocsin local CA (development only)';
/** Browsers refuse a server's certificate that lives longer. */
const SERVER_LIFE_DAYS = 397;
const CA_LIFE_DAYS = 3650;

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** A certificate authority for this machine's stand-ins (X.509 v3, P-256, RFC 5280). */
export function makeAuthority(nowMs: number): CertifiedKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const certificate = signCertificate({
    issuerKey: privateKey,
    subject: CA_NAME,
    publicKey,
    fromMs: nowMs - DAY_MS,
    toMs: nowMs + CA_LIFE_DAYS * DAY_MS,
    extensions: [
      critical(EXTENSION.basicConstraints, sequence(TRUE)),
      // keyCertSign and cRLSign
      critical(EXTENSION.keyUsage, bits(Buffer.from([0b0000_0110]), 1)),
      extension(EXTENSION.subjectKeyIdentifier, octets(keyIdentifier(publicKey))),
    ],
  });
  return { certificate, privateKey: pemOfKey(privateKey) };
}

/** A server certificate for `localhost` and the loopback addresses, signed by the authority. */
export function makeLocalhostCertificate(authority: CertifiedKey, nowMs: number): CertifiedKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const issuerKey = createPrivateKey(authority.privateKey);
  const names = sequence(
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.from([...new Array<number>(15).fill(0), 1])),
  );
  const certificate = signCertificate({
    issuerKey,
    subject: 'localhost',
    publicKey,
    fromMs: nowMs - DAY_MS,
    toMs: nowMs + (SERVER_LIFE_DAYS - 1) * DAY_MS,
    extensions: [
      critical(EXTENSION.basicConstraints, sequence()),
      // digitalSignature
      critical(EXTENSION.keyUsage, bits(Buffer.from([0b1000_0000]), 7)),
      extension(EXTENSION.extendedKeyUsage, sequence(oid(SERVER_AUTH))),
      extension(EXTENSION.subjectAltName, names),
      extension(EXTENSION.subjectKeyIdentifier, octets(keyIdentifier(publicKey))),
      extension(
        EXTENSION.authorityKeyIdentifier,
        sequence(der(0x80, keyIdentifier(createPublicKey(issuerKey)))),
      ),
    ],
  });
  return { certificate, privateKey: pemOfKey(privateKey) };
}

interface Unsigned {
  readonly issuerKey: KeyObject;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly fromMs: number;
  readonly toMs: number;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 section 4.1: the part that is signed, the algorithm, the signature. */
function signCertificate({
  issuerKey,
  subject,
  publicKey,
  fromMs,
  toMs,
  extensions,
}: Unsigned): string {
  // 0x40 in front: positive and never zero
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);
  const signed = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_SHA256,
    nameOf(CA_NAME),
    sequence(utcTime(fromMs), utcTime(toMs)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(signed, ECDSA_SHA256, bits(sign('sha256', signed, issuerKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), octets(value));
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(oid(id), TRUE, octets(value));
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
