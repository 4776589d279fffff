import { ProtobufError, readProtobuf } from './protobuf-reader.ts';
import { bytesField, fixed64Field, message, varintField } from './protobuf-writer.ts';

/** Who a device is for Google: given by its first check-in, shown at each registration and login. */
export interface DeviceIdentity {
  /** Up to 2^64 − 1, decimal. */
  readonly androidId: string;
  /** The secret beside it, decimal. */
  readonly securityToken: string;
}

/** What a device says of itself at check-in (Chromium, google_apis/gcm/protocol/checkin.proto). */
export interface CheckInRequest {
  /** Absent at the first one. */
  readonly identity?: DeviceIdentity;
}

/** Versions of the request that the service answers; 3 is what Chromium sends. */
const REQUEST_VERSION = 3;
/** Kinds of devices and of builds, as Chromium on Linux names itself. */
const DEVICE_CHROME_BROWSER = 3;
const PLATFORM_LINUX = 3;
const CHANNEL_STABLE = 1;

export function encodeCheckInRequest({ identity }: CheckInRequest, chromeVersion: string): Buffer {
  const build = message(
    varintField(1, PLATFORM_LINUX),
    bytesField(2, chromeVersion),
    varintField(3, CHANNEL_STABLE),
  );
  return message(
    identity && varintField(2, BigInt(identity.androidId)),
    bytesField(4, message(varintField(12, DEVICE_CHROME_BROWSER), bytesField(13, build))),
    identity && fixed64Field(13, BigInt(identity.securityToken)),
    varintField(14, REQUEST_VERSION),
    varintField(22, 0),
  );
}

/** Throws ProtobufError for what is no check-in. */
export function decodeCheckInRequest(bytes: Buffer): CheckInRequest {
  const request = readProtobuf(bytes);
  if (request.messages(4).length === 0) throw new ProtobufError('checkin is missing');
  const androidId = request.integer(2) ?? 0n;
  const securityToken = request.integer(13) ?? 0n;
  if (androidId === 0n || securityToken === 0n) return {};
  return { identity: { androidId: String(androidId), securityToken: String(securityToken) } };
}

export function encodeCheckInResponse(identity: DeviceIdentity, nowMs: number): Buffer {
  return message(
    varintField(1, true),
    varintField(3, nowMs),
    fixed64Field(7, BigInt(identity.androidId)),
    fixed64Field(8, BigInt(identity.securityToken)),
  );
}

/** Throws ProtobufError for an answer that gives no identity. */
export function decodeCheckInResponse(bytes: Buffer): DeviceIdentity {
  const response = readProtobuf(bytes);
  const androidId = response.integer(7) ?? 0n;
  const securityToken = response.integer(8) ?? 0n;
  if (response.integer(1) !== 1n || androidId === 0n || securityToken === 0n)
    throw new ProtobufError('the check-in gave no identity');
  return { androidId: String(androidId), securityToken: String(securityToken) };
}
