import { BURST_SECONDS, fullRatePerSecond, RAMP_DECAY_SECONDS, rampShare } from './fcm-quota.ts';

/** One alert to many devices, and what it is sent with. */
export interface PlanInput {
  readonly audience: number;
  /** Part of the audience that FCM reaches (0 to 1); Web Push reaches the others. */
  readonly fcmShare: number;
  /** Firebase projects that share the FCM devices evenly. */
  readonly projects: number;
  readonly quotaPerMinute: number;
  readonly rampSeconds: number;
  /** Dispatchers that are live. */
  readonly nodes: number;
  /** Sends a second of which one dispatcher's machine is capable, both transports together. */
  readonly nodeRatePerSecond: number;
  /** Time until a provider answers. */
  readonly replyMs: number;
  /** The most sends in flight, for each dispatcher. */
  readonly fcmInFlight: number;
  readonly webPushInFlight: number;
}

/** What a dispatcher has in flight by default: 6 FCM sessions of 100, 4 sessions of 100 to a push service. */
export const PLAN_DEFAULTS = {
  replyMs: 50,
  fcmInFlight: 600,
  webPushInFlight: 400,
} as const;

/** What kept the sends back most of the time. */
export type PlanLimit = 'quota' | 'nodes' | 'in-flight';

/** When this part of the devices had been accepted by their provider, in seconds from the first send. */
export interface PlanTimes {
  readonly devices: number;
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly p99Seconds: number;
  readonly lastSeconds: number;
}
export interface Plan {
  readonly fcm: (PlanTimes & { readonly limit: PlanLimit }) | undefined;
  readonly webPush: (PlanTimes & { readonly limit: PlanLimit }) | undefined;
  readonly all: PlanTimes;
}

const STEP_SECONDS = 0.01;
/** In flight to a push service that nothing is known of; doubles each round trip. As the dispatcher's limit does. */
const WEB_PUSH_START = 32;
/** A plan beyond a day is none: the model stops. */
const MAX_SECONDS = 86_400;

/**
 * Hand-over times of an alert as a fluid: at each instant each transport sends what its quota, its places in flight and
 * the machines allow. Pure. A test holds it to what the dispatcher's own pacing does in virtual time, within 10 %.
 */
export function plan(input: PlanInput): Plan {
  const fcmDevices = Math.round(input.audience * input.fcmShare);
  const fcm = new Flow(fcmDevices, input.replyMs);
  const webPush = new Flow(input.audience - fcmDevices, input.replyMs);
  const all = new Flow(input.audience, input.replyMs);
  const quota = new QuotaFlow(input);
  const stepNodes = input.nodes * input.nodeRatePerSecond * STEP_SECONDS;
  const perReply = (STEP_SECONDS * 1000) / Math.max(1, input.replyMs);
  const fcmPlaces = input.nodes * input.fcmInFlight * input.projects * perReply;
  for (let now = 0; all.left > 0 && now < MAX_SECONDS; now += STEP_SECONDS) {
    const doubled = WEB_PUSH_START * 2 ** Math.min(20, (now * 1000) / Math.max(1, input.replyMs));
    const places = input.nodes * Math.min(input.webPushInFlight, doubled) * perReply;
    const wants = {
      fcm: Math.min(fcm.left, quota.allowed(), fcmPlaces),
      webPush: Math.min(webPush.left, places),
    };
    const parts = share(stepNodes, wants.fcm, wants.webPush);
    if (fcm.left > 0) {
      const held = wants.fcm === fcmPlaces ? 'in-flight' : 'quota';
      fcm.send(parts.first, now, parts.first < wants.fcm ? 'nodes' : held);
    }
    if (webPush.left > 0)
      webPush.send(parts.second, now, parts.second < wants.webPush ? 'nodes' : 'in-flight');
    all.send(parts.first + parts.second, now, 'nodes');
    quota.used(parts.first);
  }
  return {
    fcm: fcm.devices === 0 ? undefined : { ...fcm.times(), limit: fcm.limit() },
    webPush: webPush.devices === 0 ? undefined : { ...webPush.times(), limit: webPush.limit() },
    all: all.times(),
  };
}

/** What two get of what there is: half each, and what one leaves goes to the other. */
function share(all: number, first: number, second: number): { first: number; second: number } {
  if (first + second <= all) return { first, second };
  if (first <= all / 2) return { first, second: all - first };
  if (second <= all / 2) return { first: all - second, second };
  return { first: all / 2, second: all / 2 };
}

/** The quota of all projects together, as the dispatchers spend it: a burst after a rest, then along the ramp. */
class QuotaFlow {
  readonly #full: number;
  readonly #rampSeconds: number;
  #tokens: number;
  #ramp: number;

  constructor({ projects, quotaPerMinute, rampSeconds }: PlanInput) {
    this.#full = projects * fullRatePerSecond(quotaPerMinute);
    this.#rampSeconds = rampSeconds;
    this.#tokens = this.#full * BURST_SECONDS;
    this.#ramp = rampSeconds === 0 ? 1 : 0;
  }

  allowed(): number {
    return this.#tokens + this.#perStep();
  }

  used(count: number): void {
    const perStep = this.#perStep();
    const burst = this.#full * BURST_SECONDS;
    this.#tokens = Math.min(burst, this.#tokens + perStep - count);
    if (this.#rampSeconds === 0) return;
    if (this.#tokens < burst / 2)
      this.#ramp = Math.min(1, this.#ramp + STEP_SECONDS / this.#rampSeconds);
    else this.#ramp = Math.max(0, this.#ramp - STEP_SECONDS / RAMP_DECAY_SECONDS);
  }

  #perStep(): number {
    return this.#full * rampShare(this.#ramp) * STEP_SECONDS;
  }
}

/** Devices of one transport on their way out. */
class Flow {
  readonly devices: number;
  readonly #replySeconds: number;
  readonly #sentBy: { readonly seconds: number; readonly sent: number }[] = [];
  readonly #steps: Record<PlanLimit, number> = { quota: 0, nodes: 0, 'in-flight': 0 };
  #sent = 0;

  constructor(devices: number, replyMs: number) {
    this.devices = devices;
    this.#replySeconds = replyMs / 1000;
  }

  get left(): number {
    // What is less than a device is rounding.
    return this.devices - this.#sent < 1e-6 ? 0 : this.devices - this.#sent;
  }

  send(count: number, now: number, limit: PlanLimit): void {
    this.#sent += count;
    this.#steps[limit]++;
    this.#sentBy.push({ seconds: now + STEP_SECONDS, sent: this.#sent });
  }

  limit(): PlanLimit {
    const { quota, nodes, 'in-flight': inFlight } = this.#steps;
    if (nodes >= quota && nodes >= inFlight) return 'nodes';
    return quota >= inFlight ? 'quota' : 'in-flight';
  }

  times(): PlanTimes {
    return {
      devices: this.devices,
      p50Seconds: this.#at(0.5),
      p95Seconds: this.#at(0.95),
      p99Seconds: this.#at(0.99),
      lastSeconds: this.#at(1),
    };
  }

  #at(part: number): number {
    if (this.devices === 0) return 0;
    const wanted = part * this.devices - 1e-6;
    const found = this.#sentBy.find(({ sent }) => sent >= wanted);
    return found === undefined ? Number.POSITIVE_INFINITY : found.seconds + this.#replySeconds;
  }
}
