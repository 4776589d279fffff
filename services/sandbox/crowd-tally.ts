import type { Received } from '../../shared/device/receive.ts';

/** What one alert did on one device. */
export interface AlertOnDevice {
  /** Verified copies that came over the wire; more than one is a repeat. */
  copies: number;
  /** How often the device decided to show it (or to put it in the place of an earlier one). More than 1 breaks P4. */
  shown: number;
  /** A Cancel or Update took it from the screen. */
  takenDown: boolean;
  /** Verified copies that were refused: expired, or for another audience. */
  refused: number;
  /** Milliseconds since 1970 when the first copy was verified. */
  firstMs: number;
  /** Node that sent the first copy. */
  firstNode: string;
}

/** Alerts that are remembered; the oldest one is forgotten first. */
const MAX_ALERTS = 200;

/** What reached the devices of one crowd. A device is named by its position in the crowd. */
export class CrowdTally {
  /** Messages that the provider accepted, of any alert: before decryption nobody knows of which. */
  readonly accepted = new Map<number, number>();
  /** Messages that could not be attributed to an alert, by reason. */
  readonly unread: Record<'undecryptable' | 'malformed' | 'unsigned', number> = {
    undecryptable: 0,
    malformed: 0,
    unsigned: 0,
  };
  readonly #alerts = new Map<string, Map<number, AlertOnDevice>>();

  alert(alertId: string): ReadonlyMap<number, AlertOnDevice> {
    return this.#alerts.get(alertId) ?? new Map();
  }

  accept(position: number): void {
    this.accepted.set(position, (this.accepted.get(position) ?? 0) + 1);
  }

  record(position: number, { decision, message, via }: Received, atMs: number): void {
    if (message === undefined) {
      const isUnsigned = decision.action === 'refused' && decision.reason === 'unsigned';
      this.unread[isUnsigned ? 'unsigned' : 'malformed']++;
      return;
    }
    const own = this.#entry(message.id, position, via ?? 'unknown', atMs);
    if (decision.action === 'refused') {
      own.refused++;
      return;
    }
    own.copies++;
    if (decision.action === 'shown' || decision.action === 'replaced') own.shown++;
    if (decision.action !== 'taken-down' && decision.action !== 'replaced') return;
    for (const reference of message.references) {
      const earlier = this.#alerts.get(reference)?.get(position);
      if (earlier && earlier.shown > 0) earlier.takenDown = true;
    }
  }

  #entry(alertId: string, position: number, firstNode: string, firstMs: number): AlertOnDevice {
    let devices = this.#alerts.get(alertId);
    if (!devices) {
      devices = new Map();
      this.#alerts.set(alertId, devices);
      if (this.#alerts.size > MAX_ALERTS) {
        const [oldest = ''] = this.#alerts.keys();
        this.#alerts.delete(oldest);
      }
    }
    const known = devices.get(position);
    if (known) return known;
    const fresh = { copies: 0, shown: 0, takenDown: false, refused: 0, firstMs, firstNode };
    devices.set(position, fresh);
    return fresh;
  }
}
