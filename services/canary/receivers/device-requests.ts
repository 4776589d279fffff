import { z } from 'zod';
import { ProbeName } from '../../../shared/receipt/signed-receipt.ts';
import { WebPushAddress } from '../../../shared/subscription/subscription.ts';
import { ProbeDevice } from './probe-devices.ts';

/** Body of `POST /v1/probe-devices`: what a page that was given a code says of itself. */
export const Enrolment = z.strictObject({
  code: z.string().min(8).max(20),
  ...ProbeDevice.pick({ label: true, publicKey: true, address: true }).shape,
});
export type Enrolment = z.infer<typeof Enrolment>;

/** Payload of the signed body of `PUT /v1/probe-devices/{name}/address`: its push service gave it a new address. */
export const AddressChange = z.strictObject({
  v: z.literal(1),
  probe: ProbeName,
  address: WebPushAddress,
  /** By the device's clock (ms): the newest one counts. */
  at: z.int().positive(),
});
