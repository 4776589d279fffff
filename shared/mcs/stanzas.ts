import { encodeFrame, McsError, type McsFrame } from './frame-reader.ts';
import { ProtobufError, type ProtobufMessage, readProtobuf } from './protobuf-reader.ts';
import { bytesField, message, optional, varintField } from './protobuf-writer.ts';

/** Tags of the messages in use (Chromium, google_apis/gcm/base/mcs_util.h; fields: google_apis/gcm/protocol/mcs.proto). */
const TAG = {
  heartbeatPing: 0,
  heartbeatAck: 1,
  loginRequest: 2,
  loginResponse: 3,
  close: 4,
  iq: 7,
  data: 8,
  streamError: 10,
} as const;

const EXTENSION = { selectiveAck: 12, streamAck: 13 } as const;
const IQ_SET = 1;
const AUTH_ANDROID_ID = 2;

export interface Heartbeat {
  readonly kind: 'heartbeat-ping' | 'heartbeat-ack';
  /** Up to this message of the other side's stream everything was received. */
  readonly lastStreamId?: number | undefined;
}

export interface LoginRequest {
  readonly kind: 'login-request';
  readonly id: string;
  readonly domain: string;
  /** Android id, decimal. */
  readonly user: string;
  readonly resource: string;
  /** Security token of the check-in, decimal. */
  readonly authToken: string;
  readonly deviceId?: string | undefined;
  /** Persistent ids of messages that were received and that the server may not know of. */
  readonly receivedIds: readonly string[];
}

export interface LoginResponse {
  readonly kind: 'login-response';
  readonly id: string;
  /** The login was refused. */
  readonly error?: { readonly code: number; readonly message?: string | undefined } | undefined;
  readonly lastStreamId?: number | undefined;
  readonly serverTimeMs?: number | undefined;
}

/** A question or an answer beside the messages; ours carry acknowledgements only. */
export interface Iq {
  readonly kind: 'iq';
  readonly id: string;
  readonly lastStreamId?: number | undefined;
  /** `selective-ack`: these messages were received; `stream-ack`: all up to `lastStreamId`. */
  readonly extension?:
    | { readonly kind: 'selective-ack'; readonly ids: readonly string[] }
    | { readonly kind: 'stream-ack' }
    | undefined;
}

/** A push on its way to an app on the device. */
export interface DataMessage {
  readonly kind: 'data';
  readonly id?: string | undefined;
  /** Who sends: a project number, or the public VAPID key. */
  readonly from: string;
  /** The app: a package, or `org.chromium.linux` with the real one as `subtype` in the data. */
  readonly category: string;
  readonly collapseKey?: string | undefined;
  readonly appData: Readonly<Record<string, string>>;
  /** Absent for what is not stored: now or never. */
  readonly persistentId?: string | undefined;
  readonly lastStreamId?: number | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly sentMs?: number | undefined;
  /** The encrypted body of Web Push. */
  readonly rawData?: Buffer | undefined;
  /** The receiver is asked to acknowledge this one at once. */
  readonly immediateAck?: boolean | undefined;
}

/** What we can say. */
export type KnownStanza =
  | Heartbeat
  | LoginRequest
  | LoginResponse
  | { readonly kind: 'close' }
  | Iq
  | DataMessage
  | { readonly kind: 'stream-error'; readonly type: string };

/** What can be heard: some messages have no meaning for us, and count in the stream all the same. */
export type Stanza = KnownStanza | { readonly kind: 'other'; readonly tag: number };

/** A whole message as it goes over the wire. */
export function encodeStanza(stanza: KnownStanza): Buffer {
  return encodeFrame(frameOf(stanza));
}

function frameOf(stanza: KnownStanza): McsFrame {
  switch (stanza.kind) {
    case 'heartbeat-ping':
      return { tag: TAG.heartbeatPing, body: heartbeatBody(stanza) };
    case 'heartbeat-ack':
      return { tag: TAG.heartbeatAck, body: heartbeatBody(stanza) };
    case 'login-request':
      return { tag: TAG.loginRequest, body: loginRequestBody(stanza) };
    case 'login-response':
      return { tag: TAG.loginResponse, body: loginResponseBody(stanza) };
    case 'close':
      return { tag: TAG.close, body: Buffer.alloc(0) };
    case 'iq':
      return { tag: TAG.iq, body: iqBody(stanza) };
    case 'data':
      return { tag: TAG.data, body: dataBody(stanza) };
    case 'stream-error':
      return { tag: TAG.streamError, body: bytesField(1, stanza.type) };
  }
}

const heartbeatBody = ({ lastStreamId }: Heartbeat) =>
  message(optional(varintField, 2, lastStreamId));

function loginRequestBody(login: LoginRequest): Buffer {
  return message(
    bytesField(1, login.id),
    bytesField(2, login.domain),
    bytesField(3, login.user),
    bytesField(4, login.resource),
    bytesField(5, login.authToken),
    optional(bytesField, 6, login.deviceId),
    // new_vc: what every client sends; without it Google's servers close the connection.
    bytesField(8, message(bytesField(1, 'new_vc'), bytesField(2, '1'))),
    ...login.receivedIds.map((id) => bytesField(10, id)),
    varintField(12, false),
    varintField(14, true),
    varintField(16, AUTH_ANDROID_ID),
    varintField(17, 1),
  );
}

function loginResponseBody({ id, error, lastStreamId, serverTimeMs }: LoginResponse): Buffer {
  return message(
    bytesField(1, id),
    error &&
      bytesField(3, message(varintField(1, error.code), optional(bytesField, 2, error.message))),
    optional(varintField, 6, lastStreamId),
    optional(varintField, 8, serverTimeMs),
  );
}

function iqBody({ id, lastStreamId, extension }: Iq): Buffer {
  return message(
    varintField(2, IQ_SET),
    bytesField(3, id),
    extension && bytesField(7, extensionBody(extension)),
    optional(varintField, 10, lastStreamId),
  );
}

function extensionBody(extension: NonNullable<Iq['extension']>): Buffer {
  return extension.kind === 'stream-ack'
    ? message(varintField(1, EXTENSION.streamAck), bytesField(2, ''))
    : message(
        varintField(1, EXTENSION.selectiveAck),
        bytesField(2, message(...extension.ids.map((id) => bytesField(1, id)))),
      );
}

function dataBody(data: DataMessage): Buffer {
  return message(
    optional(bytesField, 2, data.id),
    bytesField(3, data.from),
    bytesField(5, data.category),
    optional(bytesField, 6, data.collapseKey),
    ...Object.entries(data.appData).map(([name, value]) =>
      bytesField(7, message(bytesField(1, name), bytesField(2, value))),
    ),
    optional(bytesField, 9, data.persistentId),
    optional(varintField, 11, data.lastStreamId),
    optional(varintField, 17, data.ttlSeconds),
    optional(varintField, 18, data.sentMs),
    optional(bytesField, 21, data.rawData),
    optional(varintField, 24, data.immediateAck),
  );
}

/** Reads a message. Throws McsError for one that is damaged or lacks what it has to have. */
export function decodeStanza({ tag, body }: McsFrame): Stanza {
  try {
    return readStanza(tag, body);
  } catch (error) {
    if (error instanceof ProtobufError)
      throw new McsError(`message of tag ${tag}: ${error.message}`, { cause: error });
    throw error;
  }
}

function readStanza(tag: number, body: Buffer): Stanza {
  switch (tag) {
    case TAG.heartbeatPing:
      return { kind: 'heartbeat-ping', lastStreamId: readProtobuf(body).number(2) };
    case TAG.heartbeatAck:
      return { kind: 'heartbeat-ack', lastStreamId: readProtobuf(body).number(2) };
    case TAG.loginRequest:
      return readLoginRequest(readProtobuf(body));
    case TAG.loginResponse:
      return readLoginResponse(readProtobuf(body));
    case TAG.close:
      return { kind: 'close' };
    case TAG.iq:
      return readIq(readProtobuf(body));
    case TAG.data:
      return readData(readProtobuf(body));
    case TAG.streamError:
      return { kind: 'stream-error', type: readProtobuf(body).text(1) ?? '' };
    default:
      return { kind: 'other', tag };
  }
}

function need<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new ProtobufError(`${name} is missing`);
  return value;
}

function readLoginRequest(fields: ProtobufMessage): LoginRequest {
  return {
    kind: 'login-request',
    id: need(fields.text(1), 'id'),
    domain: need(fields.text(2), 'domain'),
    user: need(fields.text(3), 'user'),
    resource: need(fields.text(4), 'resource'),
    authToken: need(fields.text(5), 'auth_token'),
    deviceId: fields.text(6),
    receivedIds: fields.texts(10),
  };
}

function readLoginResponse(fields: ProtobufMessage): LoginResponse {
  const error = fields.messages(3).at(-1);
  return {
    kind: 'login-response',
    id: need(fields.text(1), 'id'),
    ...(error && { error: { code: need(error.number(1), 'code'), message: error.text(2) } }),
    lastStreamId: fields.number(6),
    serverTimeMs: fields.number(8),
  };
}

function readIq(fields: ProtobufMessage): Iq {
  const extension = fields.messages(7).at(-1);
  return {
    kind: 'iq',
    id: fields.text(3) ?? '',
    lastStreamId: fields.number(10),
    ...(extension && { extension: readExtension(extension) }),
  };
}

function readExtension(extension: ProtobufMessage): Iq['extension'] {
  const id = extension.number(1);
  if (id === EXTENSION.streamAck) return { kind: 'stream-ack' };
  if (id !== EXTENSION.selectiveAck) return undefined;
  return { kind: 'selective-ack', ids: extension.messages(2).flatMap((ack) => ack.texts(1)) };
}

function readData(fields: ProtobufMessage): DataMessage {
  // Without a prototype: a key comes from outside and may be any word.
  const appData: Record<string, string> = Object.create(null);
  for (const entry of fields.messages(7))
    appData[need(entry.text(1), 'key')] = need(entry.text(2), 'value');
  return {
    kind: 'data',
    id: fields.text(2),
    from: need(fields.text(3), 'from'),
    category: need(fields.text(5), 'category'),
    collapseKey: fields.text(6),
    appData,
    persistentId: fields.text(9),
    lastStreamId: fields.number(11),
    ttlSeconds: fields.number(17),
    sentMs: fields.number(18),
    rawData: fields.bytes(21),
    immediateAck: fields.integer(24) === undefined ? undefined : fields.integer(24) !== 0n,
  };
}
