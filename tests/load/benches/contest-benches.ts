import { SLOT_BYTES } from '../../../services/dispatcher/transports/web-push/prepared/prepared-store.ts';
import { type ContestResult, runContest } from '../contest/run-contest.ts';
import { againstBest, type Spread } from '../contest/statistics.ts';
import { checkNghttp, NghttpMissing } from '../limit/nghttp.ts';
import { contestPlot } from '../report/plot.ts';
import { atLeast, atMost, type Must, type RunOptions, type Section } from '../report/section.ts';
import { contestTable } from '../report/tables.ts';

/** One contest within a section. */
interface Part {
  readonly key: string;
  /** No round is begun after this time; the warming up comes before it. */
  readonly limitMs: number;
}

async function runParts(parts: readonly Part[], options: RunOptions): Promise<ContestResult[]> {
  const results: ContestResult[] = [];
  for (const { key, limitMs } of parts) {
    const { rounds, scale, say } = options;
    results.push(await runContest(key, { rounds, scale, limitMs, onProgress: say }));
  }
  return results;
}

function section(
  title: string,
  file: string,
  contests: readonly ContestResult[],
  musts: readonly Must[],
  plotted: readonly ContestResult[] = contests,
): Section {
  return {
    title,
    figures: contests,
    text: contests.map(contestTable).join('\n\n'),
    musts,
    plots: plotted
      .filter(({ results }) => results.length > 0)
      .map((contest, i) => contestPlot(contest, `bench-${file}${i === 0 ? '' : `-${i + 1}`}.svg`)),
  };
}

/** Median of how much less CPU than the baseline a contender needs. */
function lessCpu(contest: ContestResult | undefined, contender: string): number | undefined {
  return contest?.results.find((each) => each.contender === contender)?.timesLessCpu.median;
}

export async function encryptionBench(options: RunOptions): Promise<Section> {
  const contests = await runParts(
    [
      { key: 'encryption300', limitMs: 20_000 },
      { key: 'encryptionReal', limitMs: 15_000 },
    ],
    options,
  );
  const [short] = contests;
  const prepared = short?.results.find(({ contender }) => contender === 'ours, preparing a key');
  return section('Encryption and authorisation of one Web Push message', 'encryption', contests, [
    atLeast(
      'encryption + authorisation at alert time against web-push, CPU (300 bytes)',
      70,
      lessCpu(short, 'ours, prepared keys'),
    ),
    atMost(
      'a prepared record, with what finds it but for the index',
      128,
      SLOT_BYTES,
      (value) => `${value} bytes`,
    ),
    atLeast(
      'prepared records made by one core',
      5_000,
      prepared && 1e6 / prepared.cpuMicrosPerMessage.median,
      (value) => `${Math.round(value).toLocaleString('en-GB')} a second`,
    ),
  ]);
}

export async function webPushBench(options: RunOptions): Promise<Section> {
  const contests = await runParts([{ key: 'webPushSending', limitMs: 55_000 }], options);
  const what = (client: string) =>
    `Web Push, whole path with prepared keys, ${client}, against web-push with a keep-alive agent, CPU`;
  return section('Web Push sent', 'web-push', contests, [
    atLeast(what('framed'), 100, lessCpu(contests[0], 'ours, framed, prepared keys')),
    atLeast(what('node:http2'), 8, lessCpu(contests[0], 'ours, node:http2, prepared keys')),
  ]);
}

const SEND_EACH = ['sendEach, one call at a time', 'sendEach, 20 calls at a time'];

export async function fcmBench(options: RunOptions): Promise<Section> {
  const contests = await runParts(
    [
      { key: 'fcm1', limitMs: 20_000 },
      { key: 'fcm20', limitMs: 20_000 },
      { key: 'fcm50', limitMs: 45_000 },
      { key: 'fcm100', limitMs: 25_000 },
    ],
    options,
  );
  const at50 = contests[2];
  const best = (names: readonly string[], of: 'timesLessCpu' | 'timesTheRate') =>
    bestOf(names.map((name) => at50 && againstBest(at50.turns, name, SEND_EACH)?.[of]));
  const framed = ['ours, framed, 6 sessions', 'ours, framed, 50 sessions'];
  const node = ['ours, node:http2, 6 sessions', 'ours, node:http2, 50 sessions'];
  const musts = [
    atLeast(
      'FCM framed against sendEach at its best, CPU (50 ms)',
      15,
      best(framed, 'timesLessCpu'),
    ),
    atLeast(
      'FCM framed against sendEach at its best, rate (50 ms)',
      10,
      best(framed, 'timesTheRate'),
    ),
    atLeast(
      'FCM node:http2 against sendEach at its best, CPU (50 ms)',
      1.5,
      best(node, 'timesLessCpu'),
    ),
  ];
  return section('FCM sent', 'fcm', contests, musts, at50 ? [at50] : []);
}

function bestOf(spreads: readonly (Spread | undefined)[]): number | undefined {
  const medians = spreads.flatMap((spread) => (spread ? [spread.median] : []));
  return medians.length === 0 ? undefined : Math.max(...medians);
}

export async function limitBench(options: RunOptions): Promise<Section> {
  const title = 'The limit: nghttp2’s load generator';
  const must = (value: ContestResult | undefined) => [
    atLeast(
      'framing and transport alone, of h2load’s CPU efficiency',
      1,
      lessCpu(value, 'ours, framed, transport alone'),
      (each) => each.toFixed(2),
    ),
    atLeast(
      'the whole Web Push path, of h2load’s CPU efficiency',
      0.4,
      lessCpu(value, 'ours, framed, prepared keys'),
      (each) => each.toFixed(2),
    ),
  ];
  try {
    checkNghttp();
  } catch (error) {
    if (!(error instanceof NghttpMissing)) throw error;
    options.say(error.message);
    return { title, figures: null, text: error.message, musts: must(undefined), plots: [] };
  }
  const contests = await runParts([{ key: 'limit', limitMs: 35_000 }], options);
  return section(title, 'limit', contests, must(contests[0]));
}
