import {
  type DeviceIdentity,
  decodeCheckInRequest,
  encodeCheckInResponse,
} from '../../../shared/mcs/check-in.ts';
import { ProtobufError } from '../../../shared/mcs/protobuf-reader.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { ProviderAnswer, ProviderRequest } from '../provider-answer.ts';
import type { FcmDeviceStore } from './store.ts';

export const CHECK_IN_PATH = '/checkin';

interface CheckInDeps {
  readonly store: Pick<FcmDeviceStore, 'checkIn'>;
  readonly now: Clock;
}

/** Google's check-in (android.clients.google.com/checkin): who a device is. A device it does not know becomes a new one. */
export function createCheckInEndpoint({
  store,
  now,
}: CheckInDeps): (request: ProviderRequest) => ProviderAnswer {
  return ({ body }) => {
    const given = readIdentity(body);
    if (given === 'damaged') return { status: 400, headers: {} };
    const identity = store.checkIn(given);
    if (identity === 'full') return { status: 503, headers: { 'retry-after': '60' } };
    return {
      status: 200,
      headers: { 'content-type': 'application/x-protobuffer' },
      bytes: encodeCheckInResponse(identity, now()),
    };
  };
}

function readIdentity(body: Buffer): DeviceIdentity | undefined | 'damaged' {
  try {
    return decodeCheckInRequest(body).identity;
  } catch (error) {
    if (error instanceof ProtobufError) return 'damaged';
    throw error;
  }
}
