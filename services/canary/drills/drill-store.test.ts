import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { DrillKind, DrillRecord } from '../../../shared/receipt/drill.ts';
import { createDrillMetrics } from './drill-metrics.ts';
import { boundedDrills, openDrillStore } from './drill-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-drills-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A drill that ended in that minute. */
function drill(minute: number, kind: DrillKind = 'restart', ok = true): DrillRecord {
  const at = (ms: number) => new Date(Date.parse('2026-07-14T20:00:00Z') + ms).toISOString();
  return {
    v: 1,
    kind,
    startedAt: at(minute * 60_000 - 30_000),
    endedAt: at(minute * 60_000),
    ok,
    measures: { toRecoverySeconds: 30 },
    by: 'marie',
  };
}

test('drills are kept on disk, newest first, whatever order they come in and however often', () => {
  const store = openDrillStore(folder);
  expect(store.keep(drill(1))).toBe(true);
  expect(store.keep(drill(3))).toBe(true);
  expect(store.keep(drill(2))).toBe(true);
  expect(store.keep(drill(3))).toBe(false);
  const kept = [drill(3), drill(2), drill(1)];
  expect(store.newestFirst()).toEqual(kept);
  expect(openDrillStore(folder).newestFirst()).toEqual(kept);
});

test('a file that is damaged is moved aside and told of; a write that was cut off leaves the old list', () => {
  openDrillStore(folder).keep(drill(1));
  writeFileSync(join(folder, 'drills.json.new'), '{"v":1,"dri');
  expect(openDrillStore(folder).newestFirst()).toEqual([drill(1)]);
  writeFileSync(join(folder, 'drills.json'), '{"v":1,"dri');
  const store = openDrillStore(folder);
  expect(store.newestFirst()).toEqual([]);
  expect(readFileSync(store.setAside ?? '', 'utf8')).toBe('{"v":1,"dri');
  store.keep(drill(2));
  expect(readdirSync(folder).sort()).toContain('drills.json.damaged');
  expect(openDrillStore(folder).newestFirst()).toEqual([drill(2)]);
});

test('the list is bounded, and a hundred failures do not make the last success of a kind “never”', () => {
  const failures = Array.from({ length: 10 }, (_, i) => drill(10 + i, 'restart', false));
  const kept = boundedDrills([drill(1), drill(0), drill(2, 'restore'), ...failures], 4);
  expect(kept).toEqual([...failures.slice(6).reverse(), drill(1), drill(2, 'restore')]);
  expect(boundedDrills(kept, 4)).toEqual(
    [...kept]
      .sort((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt))
      .slice(0, 4)
      .concat([drill(1), drill(2, 'restore')]),
  );
});

test('metrics: every kind is there from the start, as never; a failure changes the last, not the last success', async () => {
  const registry = new Registry();
  const metrics = createDrillMetrics(registry);
  const value = async (series: string) =>
    Number(
      (await registry.metrics())
        .split('\n')
        .find((line) => line.startsWith(series))
        ?.split(' ')
        .at(-1),
    );
  const success = (kind: string) =>
    value(`canary_drill_last_success_timestamp_seconds{kind="${kind}"`);
  const lastOk = (kind: string) => value(`canary_drill_last_ok{kind="${kind}"`);
  metrics.show([]);
  expect(await success('correction')).toBe(0);
  expect(await lastOk('correction')).toBe(0);
  metrics.show([drill(5, 'restart', false), drill(4), drill(3)]);
  expect(await success('restart')).toBe(Date.parse(drill(4).endedAt) / 1000);
  expect(await lastOk('restart')).toBe(0);
  expect(await success('restore')).toBe(0);
  metrics.show([drill(6), drill(5, 'restart', false)]);
  expect(await lastOk('restart')).toBe(1);
});
