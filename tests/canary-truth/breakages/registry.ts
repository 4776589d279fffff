import { rmSync } from 'node:fs';
import { type Breakage, noPath, PAGED_WITHIN_SECONDS } from '../breakage.ts';

const DISPATCHERS = ['dispatcher-a', 'dispatcher-b'];
const BUSES = ['nats-a', 'nats-b'];
const FILES = ['registry.sqlite', 'registry.sqlite-wal', 'registry.sqlite-shm'];

/** Both replicas and both buses are empty: nobody knows the probes any more, and everything answers 202. */
export const lostProbes: Breakage = {
  name: 'lost-registry',
  group: 'registry',
  title: 'the registry has lost the probes: both replicas and both buses came back empty',
  // Receipts that come once it has repaired itself are as good as any.
  breaks: noPath,
  // A probe that hears nothing for 90 s registers itself again; a call before that is right, and not asked for.
  expected: { kind: 'recovers', alerts: ['NoProof'], withinSeconds: PAGED_WITHIN_SECONDS },
  begin: async (system) => {
    const { faults } = system;
    await faults.kill(...DISPATCHERS, ...BUSES);
    for (const name of DISPATCHERS)
      for (const file of FILES) rmSync(faults.dataFile(name, file), { force: true });
    for (const site of system.sites())
      rmSync(system.files().natsStore(site), { recursive: true, force: true });
    await system.start(...BUSES);
    await system.start(...DISPATCHERS);
  },
  heal: async () => undefined,
};
