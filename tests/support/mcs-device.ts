import { request } from 'node:https';
import { connect } from 'node:tls';
import {
  type DeviceIdentity,
  decodeCheckInResponse,
  encodeCheckInRequest,
} from '../../shared/mcs/check-in.ts';
import { createFrameReader, MCS_VERSION } from '../../shared/mcs/frame-reader.ts';
import {
  decodeStanza,
  encodeStanza,
  type KnownStanza,
  type Stanza,
} from '../../shared/mcs/stanzas.ts';
import type { TestSandbox } from './sandbox-tls.ts';

/** A POST to the sandbox as a device makes it. */
export function postAsDevice(
  sandbox: Pick<TestSandbox, 'origin' | 'caPem'>,
  path: string,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ca: sandbox.caPem, headers, agent: false };
    const sent = request(sandbox.origin + path, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

export async function checkInDevice(
  sandbox: TestSandbox,
  identity?: DeviceIdentity,
): Promise<DeviceIdentity> {
  const request = encodeCheckInRequest(identity ? { identity } : {}, '140.0.0.0');
  const { status, body } = await postAsDevice(sandbox, '/checkin', request);
  if (status !== 200) throw new Error(`the check-in was answered ${status}`);
  return decodeCheckInResponse(body);
}

/** The line that the registration is answered with. */
export async function registerDevice(
  sandbox: TestSandbox,
  { androidId, securityToken }: DeviceIdentity,
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const { body } = await postAsDevice(
    sandbox,
    '/c2dm/register3',
    new URLSearchParams({ device: androidId, ...form }).toString(),
    { authorization: `AidLogin ${androidId}:${securityToken}` },
  );
  return body.toString();
}

/** A Firebase installation's token for the sandbox's project. */
export async function installApp(sandbox: TestSandbox): Promise<string> {
  const { body } = await postAsDevice(
    sandbox,
    `/v1/projects/${sandbox.config.fcmProjectId}/installations`,
    JSON.stringify({
      fid: 'c'.repeat(22),
      appId: '1:1:android:1',
      authVersion: 'FIS_v2',
      sdkVersion: 'a:18.0.0',
    }),
    { 'x-goog-api-key': 'any' },
  );
  return (JSON.parse(body.toString()) as { authToken: { token: string } }).authToken.token;
}

/** A device's stream, seen message by message. */
export interface McsTestDevice {
  readonly say: (stanza: KnownStanza) => void;
  readonly write: (bytes: Buffer) => void;
  /** The next message. Rejects after two seconds. */
  readonly next: () => Promise<Stanza>;
  readonly closed: Promise<void>;
  readonly close: () => Promise<void>;
}

/** Connects without a login. */
export function connectMcs(sandbox: TestSandbox): McsTestDevice {
  const options = { host: 'localhost', port: sandbox.mcsPort, ca: sandbox.caPem };
  const socket = connect({ ...options, servername: 'localhost' });
  const reader = createFrameReader();
  const heard: Stanza[] = [];
  const waiting: ((stanza: Stanza) => void)[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      const stanza = decodeStanza(frame);
      const waiter = waiting.shift();
      if (waiter) waiter(stanza);
      else heard.push(stanza);
    }
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    say: (stanza) => socket.write(encodeStanza(stanza)),
    write: (bytes) => socket.write(bytes),
    next: () => {
      const known = heard.shift();
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const tooLate = setTimeout(() => reject(new Error('no message came')), 2_000);
        waiting.push((stanza) => {
          clearTimeout(tooLate);
          resolve(stanza);
        });
      });
    },
    closed,
    close: () => {
      socket.destroy();
      return closed;
    },
  };
}

/** Connects and logs in; the answer to the login is the first message. */
export function logInMcs(
  sandbox: TestSandbox,
  { androidId, securityToken }: DeviceIdentity,
  receivedIds: readonly string[] = [],
): McsTestDevice {
  const device = connectMcs(sandbox);
  device.write(Buffer.from([MCS_VERSION]));
  device.say({
    kind: 'login-request',
    id: 'test',
    domain: 'mcs.android.com',
    user: androidId,
    resource: androidId,
    authToken: securityToken,
    receivedIds,
  });
  return device;
}
