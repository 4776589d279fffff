import { z } from 'zod';
import { FCM_QUOTA_PER_MINUTE, FCM_RAMP_SECONDS } from '../../../shared/pacing/fcm-quota.ts';
import {
  PLAN_DEFAULTS,
  type Plan,
  type PlanInput,
  plan,
} from '../../../shared/pacing/plan-model.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';

/** As the command line gives them. */
export interface PlanOptions {
  readonly audience: string;
  readonly fcmShare?: string;
  readonly projects?: string;
  readonly quota?: string;
  readonly ramp?: string;
  readonly nodes?: string;
  readonly nodeRate?: string;
  readonly reply?: string;
  readonly json?: boolean;
}

/**
 * Sends a second of a dispatcher's machine in the plan, both transports together. A guess on the safe side of what one
 * core does; only a measurement (`make bench-alert`) says what yours does.
 */
const NODE_RATE_PER_SECOND = 10_000;
const MAX_AUDIENCE = 1_000_000_000;

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^[\d_ ]+$/)
    .transform((text) => Number(text.replaceAll(/[_ ]/g, '')))
    .pipe(z.int().min(least).max(most));
const decimal = (least: number, most: number) =>
  z.string().trim().min(1).transform(Number).pipe(z.number().min(least).max(most));

const SHAPES = {
  audience: whole(1, MAX_AUDIENCE),
  fcmShare: decimal(0, 1).default(0.8),
  projects: z
    .string()
    .default('1,2,4')
    .transform((text) => text.split(','))
    .pipe(z.array(whole(1, 100)).max(8)),
  quota: whole(600, 100_000_000).default(FCM_QUOTA_PER_MINUTE),
  ramp: decimal(0, 600).default(FCM_RAMP_SECONDS),
  nodes: whole(1, 64).default(2),
  nodeRate: whole(1, 10_000_000).default(NODE_RATE_PER_SECOND),
  reply: whole(1, 10_000).default(PLAN_DEFAULTS.replyMs),
};
const RANGES: Readonly<Record<keyof typeof SHAPES, string>> = {
  audience: `1 – ${MAX_AUDIENCE}`,
  fcmShare: '0 – 1',
  projects: '1,2,4 (1 – 100)',
  quota: '600 – 100000000',
  ramp: '0 – 600',
  nodes: '1 – 64',
  nodeRate: '1 – 10000000',
  reply: '1 – 10000',
};

/** `tocsin plan`: when how many would have been handed over, by number of FCM projects. Rejects with CliError. */
export function showPlan(
  options: PlanOptions,
  { terminal, texts }: { readonly terminal: Terminal; readonly texts: Texts },
): void {
  const { projects, ...wanted } = readOptions(options, texts);
  const plans = projects.map((count) => ({
    projects: count,
    plan: plan({ ...PLAN_DEFAULTS, ...wanted, projects: count }),
  }));
  if (options.json) {
    terminal.out(`${JSON.stringify({ v: 1, input: { ...wanted, projects }, plans }, null, 2)}\n`);
    return;
  }
  for (const line of planLines(wanted, plans, texts)) terminal.out(`${line}\n`);
}

type Wanted = Omit<PlanInput, 'projects' | 'fcmInFlight' | 'webPushInFlight'>;

/** Everything that is wrong at once. */
function readOptions(
  options: PlanOptions,
  texts: Texts,
): Wanted & { readonly projects: readonly number[] } {
  const read = z.object(SHAPES).safeParse(options);
  if (!read.success) {
    const names = new Set(read.error.issues.map(({ path }) => String(path[0])));
    throw new CliError(
      EXIT.usage,
      Object.entries(RANGES)
        .filter(([name]) => names.has(name))
        .map(([name, range]) => texts.badOption(flagOf(name), range)),
    );
  }
  const { audience, fcmShare, projects, quota, ramp, nodes, nodeRate, reply } = read.data;
  return {
    audience,
    fcmShare,
    projects,
    nodes,
    quotaPerMinute: quota,
    rampSeconds: ramp,
    nodeRatePerSecond: nodeRate,
    replyMs: reply,
  };
}

const flagOf = (name: string) => `--${name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

function planLines(
  wanted: Wanted,
  plans: readonly { readonly projects: number; readonly plan: Plan }[],
  texts: Texts,
): string[] {
  const row = (name: string, times: Plan['all'], limit: string) =>
    [
      name.padEnd(10),
      texts.number(times.devices).padStart(13),
      ...[times.p50Seconds, times.p95Seconds, times.p99Seconds, times.lastSeconds].map((seconds) =>
        texts.duration(seconds).padStart(13),
      ),
      limit === '' ? '' : `  ${limit}`,
    ]
      .join('')
      .trimEnd();
  return [
    texts.plan.title(wanted.audience, wanted.nodes),
    texts.plan.given(wanted),
    ...plans.flatMap(({ projects, plan: { fcm, webPush, all } }) => [
      '',
      texts.plan.projects(projects),
      `${' '.repeat(10)}${texts.plan.columns.map((name) => name.padStart(13)).join('')}  ${texts.plan.limit}`,
      ...(fcm ? [row('FCM', fcm, texts.plan.limits[fcm.limit])] : []),
      ...(webPush ? [row('Web Push', webPush, texts.plan.limits[webPush.limit])] : []),
      row(texts.plan.all, all, ''),
    ]),
    '',
    ...texts.plan.notes,
  ];
}
