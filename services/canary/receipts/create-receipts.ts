import type { Registry } from 'prom-client';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import type { CanaryEvents } from '../events.ts';
import type { Timetable } from '../judge.ts';
import { createReceiverLog, type ReceiverLog } from '../receivers/receiver-log.ts';
import { createReceiverMetrics } from '../receivers/receiver-metrics.ts';
import { createRoundBook, type RoundBook } from '../round-book.ts';
import type { WitnessLog } from '../witness-log.ts';
import { createOwnReceipts, type OwnReceipts } from './own-receipts.ts';
import { createReceiptDesk, type ReceiptDesk } from './receipt-desk.ts';

interface ReceiptsOptions {
  readonly dataDir: string;
  readonly timetable: Timetable;
  /** The receivers whose receipts prove paths, by transport. */
  readonly proving: Readonly<Record<TransportKind, string>>;
}

interface ReceiptsDeps {
  readonly registry: Registry;
  readonly verifyAlert: Verify;
  readonly witnesses: WitnessLog;
  readonly events: CanaryEvents;
  readonly now: () => number;
  readonly wallNow: () => number;
}

/** Everything between a verified push and the judge. */
interface Receipts {
  readonly book: RoundBook;
  readonly desk: ReceiptDesk;
  readonly own: OwnReceipts;
  readonly receiverLog: ReceiverLog;
}

/** Rounds, the desk where signed receipts are judged, the keys of our own probes, and the age of each receiver. */
export function createReceipts(
  { dataDir, timetable, proving }: ReceiptsOptions,
  deps: ReceiptsDeps,
): Receipts {
  const metrics = createReceiverMetrics(deps.registry);
  const receiverLog = createReceiverLog(timetable, { ...deps, metrics });
  const names = Object.values(proving);
  const book = createRoundBook(deps.now, {
    proves: (probe) => names.includes(probe),
    onCounted: (probe, _path, latencyMs) => receiverLog.received(probe, latencyMs),
  });
  const desk = createReceiptDesk({ ...deps, book, onWitnessed: deps.events.witnessed });
  const own = createOwnReceipts(dataDir, desk);
  own.enlist(proving['web-push']);
  receiverLog.watch({ name: proving['web-push'], kind: 'autopush' });
  own.enlist(proving.fcm);
  receiverLog.watch({ name: proving.fcm, kind: 'fcm' });
  return { book, desk, own, receiverLog };
}
