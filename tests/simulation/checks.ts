import type { Decision } from '../../shared/device/decide.ts';
import { type DeviceSpec, EPOCH_MS, HEAL_AT_MS, MAX_OFFSET_MS } from './scenario.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import { Violation, type World } from './world.ts';

/** A disk that an alert was acknowledged from. */
export interface StoredAt {
  readonly name: string;
  readonly site: string;
  readonly holds: (id: string) => boolean;
}

interface Accepted {
  readonly envelope: SimEnvelope;
  readonly by: readonly StoredAt[];
}

/** What the simulator holds everybody to, after every step. It sees all, and knows real time. */
export class Checks {
  readonly #world: World;
  readonly #devices: ReadonlyMap<string, DeviceSpec>;
  readonly #accepted = new Map<string, Accepted>();
  readonly #delivered = new Set<string>();
  readonly #gone = new Set<string>();
  /** device → ids that it has shown, and that a Cancel or Update which reached it has ended. */
  readonly #shown = new Map<string, Set<string>>();
  readonly #ended = new Map<string, Set<string>>();
  /** Disks that were lost; what they held is no longer owed by them. */
  readonly #lostDisks = new Set<string>();

  constructor(world: World, devices: readonly DeviceSpec[]) {
    this.#world = world;
    this.#devices = new Map(devices.map((device) => [device.id, device]));
  }

  /** P1: who says `stored` has it on disk. */
  acknowledged(id: string, disk: StoredAt): void {
    if (!disk.holds(id))
      throw new Violation('P1', `${disk.name} acknowledged ${id} and has it not`);
  }

  /** P1: an answer never says more than the disks do. A disk may have been lost between its word and the answer. */
  accepted(envelope: SimEnvelope, durability: string, by: readonly StoredAt[]): void {
    const sites = new Set(
      by
        .filter((disk) => this.#lostDisks.has(disk.name) || disk.holds(envelope.id))
        .map(({ site }) => site),
    );
    if (sites.size < (durability === 'two-sites' ? 2 : 1))
      throw new Violation('P1', `${envelope.id}: ${durability} said, on ${sites.size} site(s)`);
    const before = this.#accepted.get(envelope.id)?.by ?? [];
    this.#accepted.set(envelope.id, { envelope, by: [...before, ...by] });
  }

  lostDisk(name: string): void {
    this.#lostDisks.add(name);
  }

  /** A send begins. */
  sending(
    node: { name: string; isEnded: boolean; nowMs: number; knowsBetter: string | undefined },
    to: DeviceSpec,
    what: SimEnvelope,
  ): void {
    const where = `${node.name} sends ${what.id} to ${to.id}`;
    if (what.audience === 'canary' && !to.probe)
      throw new Violation('P6', `${where}: a test to the public`);
    if (what.audience === 'public' && !to.probe && !what.areas.includes(to.area))
      throw new Violation('P7', `${where}: outside its area`);
    if (this.#world.nowMs >= what.expiresAtMs + MAX_OFFSET_MS || node.nowMs >= what.expiresAtMs)
      throw new Violation('P3', `${where}: expired`);
    if (node.isEnded) throw new Violation('P3', `${where}: ended, as it has written down itself`);
    if (node.knowsBetter)
      throw new Violation(
        'P3',
        `${where}: it was away, and ${node.knowsBetter} knows that it ended`,
      );
  }

  delivered(deviceId: string, { id }: SimEnvelope): void {
    this.#delivered.add(`${id}/${deviceId}`);
  }

  gone(deviceId: string): void {
    this.#gone.add(deviceId);
  }

  /** P9: only the provider's `gone` removes. */
  removed(deviceId: string, by: string): void {
    if (!this.#gone.has(deviceId))
      throw new Violation('P9', `${by} removes ${deviceId}, which is not gone`);
  }

  bounded(what: string, size: number, limit: number): void {
    if (size > limit) throw new Violation('P12', `${what}: ${size}, at most ${limit}`);
  }

  received(device: DeviceSpec, envelope: SimEnvelope, decision: Decision): void {
    const { id, message } = envelope;
    const shown = remembered(this.#shown, device.id);
    const ended = remembered(this.#ended, device.id);
    if (decision.action === 'shown' || decision.action === 'replaced') {
      const where = `${device.id} shows ${id}`;
      if (shown.has(id)) throw new Violation('P4', `${where} a second time`);
      if (envelope.audience === 'canary' && !device.probe)
        throw new Violation('P6', `${where}: a test`);
      if (this.#world.nowMs >= envelope.expiresAtMs + MAX_OFFSET_MS)
        throw new Violation('P3', `${where} after it expired`);
      if (ended.has(id)) throw new Violation('P3', `${where} after what ended it`);
      shown.add(id);
    }
    if (decision.action !== 'refused')
      for (const reference of message.references) ended.add(reference);
  }

  /** P1 at the end: a disk that was not lost still has what it acknowledged. */
  nothingForgotten(): void {
    for (const [id, { by }] of this.#accepted)
      for (const disk of by)
        if (!this.#lostDisks.has(disk.name) && !disk.holds(id))
          throw new Violation('P1', `${disk.name} has forgotten ${id}`);
  }

  /**
   * P2 at the end: every accepted alert that lives and was not ended reached every device that it is for: by an
   * acceptance that really delivered, or the provider said gone.
   */
  everybodyReached(isHeldSomewhere: (id: string) => boolean): void {
    const missed = this.#firstMissed(isHeldSomewhere);
    if (missed) throw new Violation('P2', `${missed.deviceId} was not reached by ${missed.id}`);
  }

  isAllReached(): boolean {
    return this.#firstMissed(() => true) === undefined;
  }

  #firstMissed(
    isHeldSomewhere: (id: string) => boolean,
  ): { id: string; deviceId: string } | undefined {
    for (const { envelope } of this.#mustArrive(isHeldSomewhere))
      for (const device of this.#devices.values()) {
        const isFor = device.probe || envelope.areas.includes(device.area);
        const isReached =
          this.#delivered.has(`${envelope.id}/${device.id}`) || this.#gone.has(device.id);
        if (isFor && !isReached) return { id: envelope.id, deviceId: device.id };
      }
    return undefined;
  }

  #mustArrive(isHeldSomewhere: (id: string) => boolean): Accepted[] {
    const endedByOthers = new Set(this.#everAsked.flatMap(({ references }) => references));
    return [...this.#accepted.values()].filter(
      ({ envelope }) =>
        !endedByOthers.has(envelope.id) &&
        envelope.expiresAtMs > EPOCH_MS + HEAL_AT_MS + 3_600_000 &&
        isHeldSomewhere(envelope.id),
    );
  }

  #everAsked: readonly { references: readonly string[] }[] = [];

  /** Alerts that anybody was ever given, accepted or not: a refused Cancel may be out there in part. */
  expect(asked: readonly { references: readonly string[] }[]): void {
    this.#everAsked = asked;
  }
}

function remembered(all: Map<string, Set<string>>, deviceId: string): Set<string> {
  const known = all.get(deviceId) ?? new Set<string>();
  all.set(deviceId, known);
  return known;
}
