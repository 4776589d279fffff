import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { registerCrowd } from '../../../deploy/demo/crowd.ts';
import { waitForProofs } from '../../../deploy/demo/proofs.ts';
import { setFaults } from '../../support/whole-system.ts';
import { FaultSystem, type FaultSystemOptions } from './fault-system.ts';

export interface StageSystemOptions extends FaultSystemOptions {
  /** Simulated devices in all five communes; a fifth is in the alerts' area. */
  readonly devices?: number;
}

const DEVICES = 200;

/** Holds the one system that rows play on, and makes another when a row needs another or left this one broken. */
export class Stage {
  /** Play without the protection: the row has to fail. */
  readonly sabotage: boolean;
  readonly say: (line: string) => void;
  #held: { key: string; system: FaultSystem } | undefined;

  constructor(
    options: { readonly sabotage?: boolean; readonly say?: (line: string) => void } = {},
  ) {
    this.sabotage = options.sabotage ?? false;
    this.say = options.say ?? (() => undefined);
  }

  /** The system of this name with a registered crowd, every path proved; made when another one is held. */
  async system(
    key: string,
    make: () => StageSystemOptions | Promise<StageSystemOptions> = () => ({}),
  ): Promise<FaultSystem> {
    if (this.#held?.key !== key) {
      await this.clear();
      const { devices = DEVICES, ...options } = await make();
      this.#held = { key, system: await FaultSystem.start(options) };
      await registerCrowd(this.#held.system, devices, () => undefined);
      await this.healthy();
    }
    if (!this.#held) throw new Error('no system is held');
    return this.#held.system;
  }

  /** Waits until every canary that runs has proved every path again. */
  async healthy(): Promise<void> {
    const system = this.#held?.system;
    if (!system?.names('canary').some((name) => system.isRunning(name))) return;
    await waitForProofs(system, () => undefined);
  }

  /** How fast each provider takes messages, so that a fan-out lasts long enough to be hit half-way; 0: no limit. */
  async pace(system: FaultSystem, messagesPerSecond: number): Promise<void> {
    await setFaults(system, { fcm: { messagesPerSecond }, webPush: { messagesPerSecond } });
  }

  /** Copies the logs of what is held, for whoever looks into a broken run. */
  keepLogs(folder: string): void {
    const logs = this.#held && join(this.#held.system.stateDir, 'logs');
    if (logs === undefined || !existsSync(logs)) return;
    rmSync(folder, { recursive: true, force: true });
    cpSync(logs, folder, { recursive: true });
  }

  /**
   * Each provider answers after so long. With a known number of sends under way at a time it is this that paces a node,
   * each for itself: two nodes are twice as fast as one, whatever else the machine does.
   */
  async latency(system: FaultSystem, ms: { fcm: number; webPush: number }): Promise<void> {
    await setFaults(system, { fcm: { latencyMs: ms.fcm }, webPush: { latencyMs: ms.webPush } });
  }

  /** Ends what is held. */
  async clear(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.system.close();
  }
}
