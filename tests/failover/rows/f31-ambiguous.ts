import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { TcpFaultProxy } from '../../support/tcp-fault-proxy.ts';
import {
  copies,
  devicesReport,
  draftAlert,
  post,
  prefectureKey,
  raise,
} from '../harness/alerts.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';
import { linked } from './f13-partition.ts';

export const ambiguous: Row = {
  id: 'F31',
  title:
    'the link dies between request and answer: author and ingest, or ingest and every bus and dispatcher',
  promise: 'the repeat with the same id is the same alert: one message, shown once',
  runs: { full: 30, short: 0, seconds: 1.5 },
  seenToFail: 'the author repeats it under a new identifier: devices show two alerts',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const { system, links } = await linked(stage);
  const draft = await draftAlert();
  const cutBefore = links.answersCut();
  const isAuthors = stage.sabotage || random.next() < 0.5;
  const { port } = new URL(urlOf(system, 'ingest-a'));
  const proxy = await TcpFaultProxy.start({ host: '127.0.0.1', port: Number(port) });
  try {
    if (isAuthors) {
      proxy.set({ cutBeforeAnswer: true });
      const lost = await post(`http://127.0.0.1:${proxy.port}`, draft, prefectureKey(system));
      if (lost.status !== undefined) throw new Error('the answer was not lost');
    } else {
      links.set({ kinds: ['nats', 'dispatcher'] }, { cutBeforeAnswer: true });
      setTimeout(() => links.set({}, {}), random.between(100, 1_200)).unref();
    }
    const repeat = stage.sabotage ? await draftAlert() : draft;
    const alert = await raise(system, { draft: repeat, first: random.pick(['a', 'b'] as const) });
    links.set({}, {});
    const played = await judge(system, [alert]);
    await delay(500);
    const other = repeat.id === draft.id ? 0 : copies(await devicesReport(system, draft.id));
    return {
      ...played,
      broken: [...played.broken, ...(other > 0 ? ['the repeat was another alert'] : [])],
      figures: { 'answers cut off': isAuthors ? proxy.answersCut : links.answersCut() - cutBefore },
    };
  } finally {
    links.set({}, {});
    await proxy.close();
    await stage.healthy();
  }
}
