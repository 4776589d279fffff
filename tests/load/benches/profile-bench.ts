import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../services/dispatcher/transports/test-support/certificate.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { startChild } from '../contest/child.ts';
import type { ContenderWord, Measure } from '../contest/contender.ts';
import { CONTESTS } from '../contest/contests.ts';
import { startSink } from '../contest/start-sink.ts';
import { type Share, sharesOf } from '../profile/read-profile.ts';
import type { RunOptions, Section } from '../report/section.ts';
import { markdownTable } from '../report/tables.ts';

const PROFILED: readonly [contest: string, contender: string][] = [
  ['webPushSending', 'ours, framed, prepared keys'],
  ['fcm1', 'ours, framed, 6 sessions'],
];
/** The last one is profiled: the others let the compiler come to rest. */
const TURNS = 3;
const TURN_MS = 60_000;

interface Profiled {
  readonly contest: string;
  readonly contender: string;
  readonly shares: readonly Share[];
  readonly microsPerMessage: number;
  readonly failure?: string;
}

/** Where the time of our senders goes. */
export async function profileBench({ scale, say }: RunOptions): Promise<Section> {
  const all: Profiled[] = [];
  for (const [contest, contender] of PROFILED) {
    say(`profile of ${contender} (${CONTESTS[contest]?.name})`);
    try {
      all.push(await profile(contest, contender, scale));
    } catch (error) {
      const failure = errorFields(error).error;
      all.push({ contest, contender, shares: [], microsPerMessage: 0, failure });
    }
  }
  return {
    title: 'Where the remaining time goes',
    figures: all,
    text: all.map(shareTable).join('\n\n'),
    musts: [],
    plots: [],
  };
}

async function profile(key: string, contender: string, scale: number): Promise<Profiled> {
  await using cleanup = new CleanupStack(20_000);
  const contest = CONTESTS[key];
  const entry = contest?.entries[contender];
  if (!contest || !entry || typeof contest.provider === 'string')
    throw new Error(`there is no contender "${contender}" with a sink in ${key}`);
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-profile-'));
  cleanup.add('profile', () => rmSync(folder, { recursive: true, force: true }));
  const { key: keyPem, cert } = makeCertificate();
  const certFile = join(folder, 'cert.pem');
  writeFileSync(certFile, cert);
  const file = join(folder, 'turn.cpuprofile');
  const { port } = await startSink({ ...contest.provider, keyPem, certPem: cert }, cleanup);
  const child = startChild(
    {
      file: 'contest/contender-process.ts',
      args: [key, contender, JSON.stringify({ port, certPem: cert, certFile })],
      env: { CPU_PROFILE: file },
      name: contender,
    },
    cleanup,
  );
  await child.next<ContenderWord>(TURN_MS);
  const messages = Math.ceil(entry.messages * scale);
  for (let turn = 0; turn < TURNS; turn++) {
    const word = await child.ask<ContenderWord>({ messages } satisfies Measure, TURN_MS);
    if (word.kind === 'failed') throw new Error(word.why);
  }
  const shares = sharesOf(file);
  const total = shares.reduce((sum, { micros }) => sum + micros, 0);
  return { contest: key, contender, shares, microsPerMessage: total / messages };
}

function shareTable({ contest, contender, shares, microsPerMessage, failure }: Profiled): string {
  const name = `**${CONTESTS[contest]?.name}: ${contender}** (self time of the main thread while it sends)`;
  if (failure !== undefined) return `${name}\n\nNot measured: ${failure}`;
  const total = shares.reduce((sum, { micros }) => sum + micros, 0);
  const rows = shares.map(({ category, micros, longest }) => [
    category,
    `${((micros / total) * 100).toFixed(1)} %`,
    ((micros / total) * microsPerMessage).toFixed(2),
    longest.map((each) => `\`${each}\``).join(' '),
  ]);
  const head = ['where', 'share', 'µs/message', 'most of it in'];
  return `${name}\n\n${markdownTable(head, rows)}`;
}
