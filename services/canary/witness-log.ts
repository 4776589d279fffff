import type { DeviceMessage } from '../../shared/envelope/device-message.ts';
import type { ProbeWitness } from '../../shared/receipt/proof.ts';

/** A real alert and which probes have received it. */
export interface WitnessedAlert {
  readonly message: DeviceMessage;
  /** In the order of receipt. */
  readonly witnesses: readonly ProbeWitness[];
}

export interface WitnessLog {
  /** False when this probe had witnessed the alert before: a duplicate is not a second witness. */
  readonly add: (message: DeviceMessage, witness: ProbeWitness) => boolean;
  readonly of: (alertId: string) => readonly ProbeWitness[];
  /** The alert that was witnessed first most recently. */
  readonly latest: () => WitnessedAlert | undefined;
}

const MAX_ALERTS = 500;

/** What the probes saw of real alerts, the newest 500. */
export function createWitnessLog(): WitnessLog {
  const alerts = new Map<string, { message: DeviceMessage; witnesses: ProbeWitness[] }>();
  return {
    add: (message, witness) => {
      const entry = alerts.get(message.id) ?? { message, witnesses: [] };
      if (entry.witnesses.some(({ probe }) => probe === witness.probe)) return false;
      entry.witnesses.push(witness);
      alerts.set(message.id, entry);
      const [oldest] = alerts.keys();
      if (alerts.size > MAX_ALERTS && oldest !== undefined) alerts.delete(oldest);
      return true;
    },
    of: (alertId) => alerts.get(alertId)?.witnesses ?? [],
    latest: () => [...alerts.values()].at(-1),
  };
}
