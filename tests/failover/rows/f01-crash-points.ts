import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { TcpFaultProxy } from '../../support/tcp-fault-proxy.ts';
import { type Acknowledged, type AlertDraft, post, prefectureKey } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import type { Links } from '../harness/links.ts';
import type { Random } from '../harness/random.ts';
import { type LaneAck, watchLanes } from '../harness/watch-lanes.ts';

/** Where an ingest is killed: what has been acknowledged to it by then, as it is seen to pass on the wire. */
export const CRASH_POINTS = [
  'after the first site’s acknowledgement',
  'after the first dispatcher’s "stored"',
  'after the first bus’s acknowledgement',
  'between the lanes: both buses have it, no dispatcher was heard',
  'between the lanes: both dispatchers have it, no bus was heard',
  'right before the 202 reaches the author',
  'right after the 202 has reached the author',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const HIT_MS = 5_000;
/** Right after the bytes were passed on, or when the process has had the time to read them. */
const AFTER_MS = [0, 1, 3];

/** Whether that was the moment, by the acknowledgements so far; for points that lie on the way to targets. */
function isHit(point: CrashPoint, acks: readonly LaneAck[]): boolean {
  const sites = (lane: LaneAck['lane']) =>
    new Set(acks.filter((ack) => ack.lane === lane).map(({ site }) => site)).size;
  switch (point) {
    case 'after the first site’s acknowledgement':
      return acks.length > 0;
    case 'after the first dispatcher’s "stored"':
      return sites('direct') > 0;
    case 'after the first bus’s acknowledgement':
      return sites('bus') > 0;
    case 'between the lanes: both buses have it, no dispatcher was heard':
      return sites('bus') === 2;
    case 'between the lanes: both dispatchers have it, no bus was heard':
      return sites('direct') === 2;
    default:
      return false;
  }
}

/** Gives an alert to ingest a and kills it at this point. Resolves to what its author was told; throws when it was not hit. */
export async function killAt(
  point: CrashPoint,
  { system, links }: { system: FaultSystem; links: Links },
  draft: AlertDraft,
  random: Random,
): Promise<Acknowledged | undefined> {
  const afterMs = random.pick(AFTER_MS);
  let isKilled = false;
  const kill = () => {
    if (isKilled) return;
    isKilled = true;
    const strike = () => system.process('ingest-a').kill('SIGKILL', false);
    if (afterMs === 0) setImmediate(strike);
    else setTimeout(strike, afterMs);
  };
  const acks: LaneAck[] = [];
  const watch = watchLanes(draft.id, (ack) => {
    acks.push(ack);
    if (isHit(point, acks)) kill();
  });
  const held = point.includes('no dispatcher') ? 'dispatcher' : 'nats';
  if (point.startsWith('between')) links.set({ from: 'a', kinds: [held] }, { onlyTo: 'server' });
  links.watch({ from: 'a', kinds: ['nats', 'dispatcher'] }, watch);
  const { port } = new URL(urlOf(system, 'ingest-a'));
  const author = await TcpFaultProxy.start({ host: '127.0.0.1', port: Number(port) });
  author.watch(({ to, data }) => {
    if (to !== 'client' || !data.toString('latin1').startsWith('HTTP/1.1 202')) return 'pass';
    if (point.startsWith('right')) kill();
    return point === 'right before the 202 reaches the author' ? 'drop' : 'pass';
  });
  const sinceMs = Date.now();
  try {
    const answering = post(`http://127.0.0.1:${author.port}`, draft, prefectureKey(system));
    const { accepted } = await answering;
    for (const end = Date.now() + HIT_MS; !isKilled && Date.now() < end; ) await delay(5);
    if (!isKilled) throw new Error(`ingest never was at the point: ${point}`);
    await system.process('ingest-a').ended();
    return accepted && { id: draft.id, sinceMs, answer: accepted };
  } finally {
    links.watch({}, undefined);
    links.set({}, {});
    await author.close();
  }
}
