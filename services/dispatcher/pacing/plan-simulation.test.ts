import { expect, test } from '@jest/globals';
import { PLAN_DEFAULTS, type PlanInput, plan } from '../../../shared/pacing/plan-model.ts';
import { OriginLimit } from './origin-limit.ts';
import type { Pace } from './pace.ts';
import { ProjectQuota } from './project-quota.ts';

const STEP_MS = 10;
/** The dispatchers have been up and at rest for this long when the alert comes. */
const REST_MS = 120_000;

const BASE: PlanInput = {
  ...PLAN_DEFAULTS,
  audience: 60_000,
  fcmShare: 0.5,
  projects: 1,
  quotaPerMinute: 60_000,
  rampSeconds: 10,
  nodes: 2,
  nodeRatePerSecond: 5_000,
};

test.each<[string, Partial<PlanInput>]>([
  ['FCM alone, bound by the quota', { fcmShare: 1 }],
  ['FCM alone without a ramp', { fcmShare: 1, rampSeconds: 0 }],
  ['FCM alone with Google’s ramp of a minute', { fcmShare: 1, rampSeconds: 60 }],
  ['two projects', { fcmShare: 1, projects: 2 }],
  ['four projects on three nodes', { fcmShare: 1, projects: 4, nodes: 3 }],
  ['mixed', {}],
  ['mixed, machines that are slower than the quota', { nodeRatePerSecond: 400 }],
  ['mixed, one node left', { nodes: 1 }],
  ['Web Push alone, bound by what is in flight', { fcmShare: 0, replyMs: 200 }],
  ['FCM bound by what is in flight', { fcmShare: 1, replyMs: 1_000, fcmInFlight: 100 }],
  ['the quota of today, and 100,000 devices', { audience: 100_000, quotaPerMinute: 600_000 }],
])('the plan agrees within 10 %% with the pacing itself in virtual time: %s', (_name, changes) => {
  const input = { ...BASE, ...changes };
  const planned = plan(input);
  const played = play(input);
  for (const kind of ['fcm', 'webPush'] as const) {
    const expected = planned[kind];
    if (expected === undefined) continue;
    const accepted = played[kind];
    expect(accepted).toHaveLength(expected.devices);
    const at = (part: number) => accepted[Math.ceil(part * accepted.length) - 1] ?? Number.NaN;
    close(at(0.5), expected.p50Seconds);
    close(at(0.95), expected.p95Seconds);
    close(at(0.99), expected.p99Seconds);
    close(at(1), expected.lastSeconds);
  }
});

function close(playedSeconds: number, plannedSeconds: number): void {
  const apart = Math.abs(playedSeconds - plannedSeconds);
  // Two steps are what the clock of either cannot tell.
  expect(apart).toBeLessThanOrEqual(Math.max(0.1 * playedSeconds, (2 * STEP_MS) / 1000));
}

interface Line {
  readonly pace: Pace;
  /** Places in flight; Web Push's pace has its own count of them. */
  readonly places: number;
  readonly kind: 'fcm' | 'webPush';
  left: number;
  inFlight: number;
}

/** Each node sends its part as fast as its pacing, its places and its machine allow; when each device was accepted (s). */
function play(input: PlanInput): Record<'fcm' | 'webPush', number[]> {
  const accepted: Record<'fcm' | 'webPush', number[]> = { fcm: [], webPush: [] };
  const fcmDevices = Math.round(input.audience * input.fcmShare);
  const nodes = Array.from({ length: input.nodes }, (_, node) => ({
    budget: 0,
    lines: linesOf(input, node, { fcm: fcmDevices, webPush: input.audience - fcmDevices }),
  }));
  const answers = new Map<number, Line[]>();
  for (let nowMs = REST_MS; accepted.fcm.length + accepted.webPush.length < input.audience; ) {
    for (const line of answers.get(nowMs) ?? []) {
      line.inFlight--;
      line.pace.ended({ kind: 'accepted' }, input.replyMs, nowMs);
      accepted[line.kind].push((nowMs - REST_MS) / 1000);
    }
    answers.delete(nowMs);
    for (const node of nodes) {
      node.budget = Math.min(1, node.budget) + (input.nodeRatePerSecond * STEP_MS) / 1000;
      sendInTurn(node, nowMs, (line) => {
        const endMs = nowMs + Math.max(STEP_MS, Math.round(input.replyMs / STEP_MS) * STEP_MS);
        const ending = answers.get(endMs) ?? [];
        answers.set(endMs, ending);
        ending.push(line);
      });
    }
    nowMs += STEP_MS;
  }
  return accepted;
}

/** Transports take turns at the machine while both have something to send. */
function sendInTurn(
  node: { budget: number; readonly lines: readonly Line[] },
  nowMs: number,
  onSent: (line: Line) => void,
): void {
  const kinds = ['fcm', 'webPush'] as const;
  for (let idle = 0, turn = 0; node.budget >= 1 && idle < kinds.length; turn++) {
    const kind = kinds[turn % kinds.length];
    const line = node.lines.find(
      (each) =>
        each.kind === kind &&
        each.left > 0 &&
        each.inFlight < each.places &&
        each.pace.mayStart(nowMs, 'message'),
    );
    if (!line) {
      idle++;
      continue;
    }
    idle = 0;
    node.budget--;
    line.left--;
    line.inFlight++;
    line.pace.started(nowMs);
    onSent(line);
  }
}

function linesOf(
  input: PlanInput,
  node: number,
  devices: { readonly fcm: number; readonly webPush: number },
): Line[] {
  const part = (all: number, count: number, index: number) =>
    Math.floor((all * (index + 1)) / count) - Math.floor((all * index) / count);
  const quotas = Array.from({ length: input.projects }, (_, project): Line => {
    const { quotaPerMinute, rampSeconds, nodes } = input;
    const quota = new ProjectQuota({ quotaPerMinute, rampSeconds, liveNodes: () => nodes }, 0);
    quota.mayStart(REST_MS);
    return {
      pace: quota,
      places: input.fcmInFlight,
      kind: 'fcm',
      left: part(part(devices.fcm, input.projects, project), input.nodes, node),
      inFlight: 0,
    };
  });
  return [
    ...quotas,
    {
      pace: new OriginLimit({ most: input.webPushInFlight, random: () => 0 }),
      places: Number.POSITIVE_INFINITY,
      kind: 'webPush',
      left: part(devices.webPush, input.nodes, node),
      inFlight: 0,
    },
  ];
}
