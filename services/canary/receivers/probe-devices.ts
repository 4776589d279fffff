import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { ProbeName } from '../../../shared/receipt/signed-receipt.ts';
import { DeviceId, WebPushAddress } from '../../../shared/subscription/subscription.ts';
import type { Probe } from '../probes/probe.ts';
import { newDeviceId, probeSubscription, stateFile } from '../probes/probe-state.ts';

/** A phone or kiosk with the probe page, as it stands on the allow-list. */
export const ProbeDevice = z.strictObject({
  name: ProbeName,
  deviceId: DeviceId,
  /** What people call it. */
  label: z.string().max(60),
  /** Ed25519, base64url: the private half can't leave the browser. */
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  address: WebPushAddress,
  enrolledAt: z.iso.datetime(),
  /** Of the newest address (ms, by the device's clock): an older one that comes again is not taken. */
  addressAt: z.int().nonnegative(),
});
export type ProbeDevice = z.infer<typeof ProbeDevice>;

/** What the device itself brings. */
export type NewDevice = Pick<ProbeDevice, 'label' | 'publicKey' | 'address'>;

/** The allow-list of probe pages, kept over a restart and never longer than its limit. */
export interface ProbeDevices {
  readonly limit: number;
  readonly all: () => readonly ProbeDevice[];
  /** Undefined: the list is full. The device is not on it before `add`. */
  readonly prepare: (device: NewDevice) => ProbeDevice | undefined;
  /** False: it got full meanwhile. */
  readonly add: (device: ProbeDevice) => boolean;
  /** False: no such device, or an older address than it has. */
  readonly move: (name: string, address: WebPushAddress, atMs: number) => boolean;
  readonly remove: (name: string) => boolean;
}

const LETTERS = 'abcdefghjkmnpqrstvwxyz23456789';

export function openProbeDevices(
  dataDir: string,
  { canary, limit, wallNow }: { canary: string; limit: number; wallNow: () => number },
): ProbeDevices {
  const file = stateFile(dataDir, 'probe-devices', z.array(ProbeDevice));
  let devices: readonly ProbeDevice[] = file.read()?.slice(0, limit) ?? [];
  const keep = (next: readonly ProbeDevice[]) => {
    devices = next;
    file.write([...next]);
  };
  return {
    limit,
    all: () => devices,
    prepare: (device) =>
      devices.length >= limit
        ? undefined
        : {
            ...device,
            name: newName(canary),
            deviceId: newDeviceId(),
            enrolledAt: new Date(wallNow()).toISOString(),
            addressAt: 0,
          },
    add: (device) => {
      if (devices.length >= limit) return false;
      keep([...devices, device]);
      return true;
    },
    move: (name, address, atMs) => {
      const device = devices.find((each) => each.name === name);
      if (!device || device.addressAt >= atMs) return false;
      keep(devices.map((each) => (each === device ? { ...each, address, addressAt: atMs } : each)));
      return true;
    },
    remove: (name) => {
      const left = devices.filter((each) => each.name !== name);
      const found = left.length < devices.length;
      if (found) keep(left);
      return found;
    },
  };
}

/** Never used twice: what was said of a device that was taken off the list is not said of the next one. */
function newName(canary: string): string {
  const random = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${canary}-probe-${random}`;
}

/** The device as rounds and the registry see it. */
export function probeOfDevice({ name, deviceId }: ProbeDevice, devices: ProbeDevices): Probe {
  return {
    name,
    transport: 'web-push',
    deviceId,
    subscription: () => {
      const address = devices.all().find((each) => each.name === name)?.address;
      return address && probeSubscription(deviceId, address);
    },
    // Nobody but its push service knows; its receipts are what we go by.
    connected: () => true,
    renew: () => undefined,
    close: () => Promise.resolve(),
  };
}
