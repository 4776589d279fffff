import { z } from 'zod';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { type DeviceDay, shownDays } from '../history/device-days.ts';
import type { JudgedPath } from '../judge.ts';

/** After so long without a new page nobody knows: a page is written every half minute. */
const STALE_AFTER_SECONDS = 300;

/** What people have, by how alerts get there. The names of our parts are nobody's business on a public page. */
export const DEVICES = ['android', 'browser'] as const;
export type Device = (typeof DEVICES)[number];
const TRANSPORT_OF: Readonly<Record<Device, TransportKind>> = {
  android: 'fcm',
  browser: 'web-push',
};

const minutes = z.int().nonnegative();

const DeviceStatus = z.strictObject({
  device: z.enum(DEVICES),
  /** `proved`: a test message was received by such a device of ours within a minute and a half. */
  state: z.enum(['proved', 'unproved', 'not-measured']),
  lastProofAt: z.iso.datetime().nullable(),
  /** The last thirty days (UTC), oldest first, today being the last. The minutes of a day add up to those it has had so far. */
  days: z.array(
    z.strictObject({
      day: z.iso.date(),
      provedMinutes: minutes,
      unprovedMinutes: minutes,
      notMeasuredMinutes: minutes,
    }),
  ),
});
export type DeviceStatus = z.infer<typeof DeviceStatus>;

/** `status.json`: what the public may know of whether alerts would arrive. */
export const StatusReport = z.strictObject({
  v: z.literal(1),
  writtenAt: z.iso.datetime(),
  /** Who reads this later than so many seconds after `writtenAt` knows nothing. */
  staleAfterSeconds: z.int(),
  /** `partly`: proved for some kinds of devices and not for others. */
  state: z.enum(['proved', 'partly', 'unproved', 'not-measured']),
  devices: z.array(DeviceStatus),
});
export type StatusReport = z.infer<typeof StatusReport>;

/** The public's view of what the judge says. A path that is late proves nothing here. Pure. */
export function statusReport(
  paths: readonly JudgedPath[],
  days: readonly DeviceDay[],
  wallNowMs: number,
): StatusReport {
  const devices = DEVICES.map((device): DeviceStatus => {
    const transport = TRANSPORT_OF[device];
    const own = paths.filter(({ path }) => path.transport === transport);
    const ages = own.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs]));
    const isProved = own.some(({ state }) => state === 'proved');
    return {
      device,
      state: isProved ? 'proved' : ages.length === 0 ? 'not-measured' : 'unproved',
      lastProofAt: ages.length === 0 ? null : new Date(wallNowMs - Math.min(...ages)).toISOString(),
      days: shownDays(days, transport, wallNowMs),
    };
  });
  return {
    v: 1,
    writtenAt: new Date(wallNowMs).toISOString(),
    staleAfterSeconds: STALE_AFTER_SECONDS,
    state: wholeState(devices),
    devices,
  };
}

function wholeState(devices: readonly DeviceStatus[]): StatusReport['state'] {
  const all = (state: DeviceStatus['state']) => devices.every((each) => each.state === state);
  if (all('proved')) return 'proved';
  if (devices.some(({ state }) => state === 'proved')) return 'partly';
  return all('not-measured') ? 'not-measured' : 'unproved';
}

/** What has to change for a new page to be written at once. Pure. */
export function statesOf({ state, devices }: StatusReport): string {
  return [state, ...devices.map((each) => each.state)].join(' ');
}
