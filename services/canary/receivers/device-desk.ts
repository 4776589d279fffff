import { createVerifier, SignatureError } from '../../../shared/envelope/signature.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { claimedProbe, receiptKeyOf } from '../../../shared/receipt/signed-receipt.ts';
import type { Subscription } from '../../../shared/subscription/subscription.ts';
import { probeSubscription } from '../probes/probe-state.ts';
import { AddressChange, type Enrolment } from './device-requests.ts';
import type { EnrolmentCodes } from './enrolment-codes.ts';
import type { ProbeDevice, ProbeDevices } from './probe-devices.ts';
import type { ReceiverEvents } from './receiver-events.ts';

interface DeviceDeskDeps {
  readonly devices: ProbeDevices;
  readonly codes: EnrolmentCodes;
  readonly events: ReceiverEvents;
  /** Puts it into the registry now. Why an edge does not take it, or undefined. Rejects when no edge can be reached. */
  readonly register: (subscription: Subscription) => Promise<string | undefined>;
  readonly onEnrolled: (device: ProbeDevice) => void;
  readonly onMoved: () => void;
  readonly onRemoved: (name: string) => void;
}

/** Who may be a probe page: with a code, as long as there is room, and with an address that pushes can be sent to. */
export interface DeviceDesk {
  readonly newCode: () => { code: string; expiresMs: number };
  readonly enrol: (enrolment: Enrolment) => Promise<ProbeDevice>;
  readonly move: (name: string, jws: string) => Promise<void>;
  readonly remove: (name: string) => void;
}

/** All of these throw ProblemError for what the client has to change. */
export function createDeviceDesk(deps: DeviceDeskDeps): DeviceDesk {
  const { devices, codes, events } = deps;
  return {
    newCode: () => {
      if (devices.all().length >= devices.limit) throw fullList(devices.limit);
      events.codeMade();
      return codes.make();
    },
    enrol: async ({ code, ...device }) => {
      const used = codes.use(code);
      if (used !== 'good') {
        events.codeRefused(used);
        throw wrongCode(used);
      }
      const prepared = devices.prepare(device);
      if (!prepared) throw fullList(devices.limit);
      const problem = await deps.register(probeSubscription(prepared.deviceId, prepared.address));
      if (problem !== undefined)
        throw new ProblemError(422, 'address-refused', 'This browser’s push service is not taken', {
          detail: problem,
          action: 'Add its origin to EXTRA_PUSH_ORIGINS of edges and dispatchers if it is yours',
        });
      if (!devices.add(prepared)) throw fullList(devices.limit);
      deps.onEnrolled(prepared);
      events.enrolled(prepared.name, prepared.label);
      return prepared;
    },
    move: async (name, jws) => {
      const device = devices.all().find((each) => each.name === name);
      if (!device) throw unknownDevice();
      const { address, at } = await readChange(device, jws);
      if (!devices.move(name, address, at))
        throw new ProblemError(409, 'older-address', 'A newer address of this device is known');
      deps.onMoved();
      events.moved(name);
    },
    remove: (name) => {
      if (!devices.remove(name)) throw unknownDevice();
      deps.onRemoved(name);
      events.removed(name);
    },
  };
}

async function readChange(device: ProbeDevice, jws: string) {
  const refused = () =>
    new ProblemError(403, 'bad-signature', 'This was not signed by the device', {
      action: 'Enrol the device again with a new code',
    });
  if (claimedProbe(jws) !== device.name) throw refused();
  const key = receiptKeyOf(device.name, device.publicKey);
  try {
    const { payload } = await createVerifier({ keys: [key] }, 'receipt')(jws);
    const change = AddressChange.parse(JSON.parse(payload));
    if (change.probe !== device.name) throw refused();
    return change;
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    if (error instanceof SignatureError) throw refused();
    throw new ProblemError(400, 'invalid-request', 'The signed text is no change of address');
  }
}

export function unknownDevice(): ProblemError {
  return new ProblemError(403, 'unknown-probe', 'This device is not on the list of probes', {
    action: 'Have the engineer on call make a new code, and enrol it again',
  });
}

function fullList(limit: number): ProblemError {
  return new ProblemError(409, 'list-full', `The list of probe pages is full: ${limit}`, {
    action: 'Take a device off the list (tocsin probes remove), or raise PROBE_DEVICES',
  });
}

function wrongCode(reason: 'wrong' | 'too-many'): ProblemError {
  return reason === 'wrong'
    ? new ProblemError(403, 'wrong-code', 'This code is not good, or not any more', {
        action: 'Have the engineer on call make a new one: it is good once, for ten minutes',
      })
    : new ProblemError(429, 'too-many-codes', 'Too many wrong codes', {
        action: 'Wait a minute',
        retryAfterSeconds: 60,
      });
}
