import { Gauge, type Registry } from 'prom-client';
import { DRILL_KINDS, type DrillRecord } from '../../../shared/receipt/drill.ts';

export interface DrillMetrics {
  /** After each change of the list (newest first). */
  readonly show: (drills: readonly DrillRecord[]) => void;
  readonly deaf: Gauge<'probe'>;
}

/** Every series is there from the start: a drill that never took place shows a success in 1970, which any rule on its age sees. */
export function createDrillMetrics(registry: Registry): DrillMetrics {
  const registers = [registry];
  const lastSuccess = new Gauge({
    name: 'canary_drill_last_success_timestamp_seconds',
    help: 'When a drill of this kind last ended well; 0: never',
    labelNames: ['kind'],
    registers,
  });
  const lastOk = new Gauge({
    name: 'canary_drill_last_ok',
    help: '1 when the last drill of this kind ended well, 0 when it failed or there was none',
    labelNames: ['kind'],
    registers,
  });
  const deaf = new Gauge({
    name: 'canary_probe_deaf',
    help: '1 while a drill keeps this probe from hearing anything',
    labelNames: ['probe'],
    registers,
  });
  return {
    deaf,
    show: (drills) => {
      for (const kind of DRILL_KINDS) {
        const ofKind = drills.filter((each) => each.kind === kind);
        const success = ofKind.find(({ ok }) => ok);
        lastSuccess.set({ kind }, success ? Date.parse(success.endedAt) / 1000 : 0);
        lastOk.set({ kind }, ofKind[0]?.ok ? 1 : 0);
      }
    },
  };
}
