import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../services/dispatcher/transports/test-support/certificate.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { startChild } from '../contest/child.ts';
import { startSink } from '../contest/start-sink.ts';
import { atMost, type RunOptions, type Section, seconds } from '../report/section.ts';
import { markdownTable } from '../report/tables.ts';

interface Settled {
  /** Seconds until all but the stalled one had their outcome, and until that one had. */
  readonly others: number;
  readonly all: number;
}

const REPLY_MS = 20;
const START_MS = 30_000;
/** firebase-admin gives up after five attempts of 15 s and the pauses between them. */
const SETTLE_MS = 120_000;

/** One token that the provider never answers, among 100. */
export async function stuckBench({ say }: RunOptions): Promise<Section> {
  const ours = await play('ours');
  say(`one token never answers: ours had the other 99 after ${seconds(ours.others)}`);
  const library = await play('sendEach').catch((error: unknown) => String(error));
  const libraryRow =
    typeof library === 'string'
      ? [`not measured: ${library}`, '–']
      : [seconds(library.others), seconds(library.all)];
  return {
    title: 'One token that never answers, among 100',
    figures: { ours, sendEach: library },
    text: [
      `**One of 100 tokens is never answered** (the provider answers the others after ${REPLY_MS} ms)`,
      '',
      markdownTable(
        ['sender', 'the other 99 have their outcome after', 'all have one after'],
        [
          ['ours, framed', seconds(ours.others), seconds(ours.all)],
          ['firebase-admin sendEach', ...libraryRow],
        ],
      ),
    ].join('\n'),
    musts: [
      atMost(
        'one token of 100 never answers: the other 99 have their outcome',
        3,
        ours.others,
        seconds,
      ),
    ],
    plots: [],
  };
}

async function play(who: 'ours' | 'sendEach'): Promise<Settled> {
  await using cleanup = new CleanupStack(10_000);
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-stuck-'));
  cleanup.add('certificate', () => rmSync(folder, { recursive: true, force: true }));
  const { key, cert } = makeCertificate();
  const certFile = join(folder, 'cert.pem');
  writeFileSync(certFile, cert);
  const sink = await startSink(
    { kind: 'fcm', replyMs: REPLY_MS, maxStreams: 100, keyPem: key, certPem: cert },
    cleanup,
  );
  const target = { port: sink.port, certPem: cert, certFile };
  const child = startChild(
    { file: 'stuck/stuck-process.ts', args: [JSON.stringify({ who, target })], name: who },
    cleanup,
  );
  const { stalled } = await child.next<{ stalled: string }>(START_MS);
  await sink.set({ replyMs: REPLY_MS, stalled });
  return await child.ask<Settled>({ do: 'send' }, SETTLE_MS);
}
