import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Envelope } from '../../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import { SignatureError, type Verify } from '../../../shared/envelope/signature.ts';
import { type Clock, systemClock } from '../../../shared/time/clock.ts';
import type { EdgeEvents } from '../events.ts';
import type { Arrival, ArrivalResult } from '../metrics.ts';

/** Canaries' alerts that are remembered, to know their ids in devices' receipts: those of an hour and more. */
const MAX_CANARIES = 5_000;
/** Alerts that the page keeps; the oldest fall out. */
const MAX_ALERTS = 50;
const FILE_NAME = 'edge-alerts.json';

const StoredFile = z.object({
  v: z.literal(1),
  jws: z.array(z.string()).max(MAX_ALERTS),
  /** When each came on the page (ms since 1970); files of older versions have none. */
  onPageAtMs: z.array(z.int().nullable()).max(MAX_ALERTS).default([]).catch([]),
});

interface Entry {
  readonly jws: string;
  readonly envelope: Envelope;
  readonly onPageAtMs: number | undefined;
}

/** The last public alerts, on disk as they were signed. */
export interface RecentAlerts {
  /** Verifies, keeps and writes. Resolves once it is on disk; rejects with SignatureError when it may not be shown. */
  readonly take: (
    jws: string,
    arrival: Arrival,
    /** The `traceparent` of what brought it. */
    hop?: string,
  ) => Promise<Exclude<ArrivalResult, 'refused'>>;
  readonly envelopes: () => readonly Envelope[];
  /** Changes with each alert that was taken. */
  readonly revision: () => number;
  readonly has: (id: string) => boolean;
  /** When it came on the page (ms since 1970), as far as the file says. */
  readonly onPageAtMs: (id: string) => number | undefined;
  /** True for a canary's round that came by here lately. */
  readonly isCanary: (id: string) => boolean;
}

/**
 * Opens the list in a folder. What is read from disk is verified again: a file that somebody changed, or whose key is
 * no longer trusted, shows nothing. A canary's round is verified and not kept: it has no page.
 */
export async function openRecentAlerts(
  folder: string,
  { verify, events, now = systemClock }: { verify: Verify; events: EdgeEvents; now?: Clock },
): Promise<RecentAlerts> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE_NAME);
  const canaries = new Set<string>();
  const remember = (id: string) => {
    canaries.add(id);
    const oldest = canaries.values().next().value;
    if (canaries.size > MAX_CANARIES && oldest !== undefined) canaries.delete(oldest);
  };
  const isPublic = ({ envelope }: Entry): boolean => {
    if (envelope.audience === 'public') return true;
    events.canaryToPublic('page', envelope.id);
    return false;
  };
  let entries = (await readEntries(path, verify)).filter(isPublic);
  for (const { envelope } of entries) events.alertBegun(envelope);
  let revision = 0;
  let written: Promise<void> = Promise.resolve();
  const keep = (entry: Entry): Exclude<ArrivalResult, 'refused'> => {
    if (entry.envelope.audience !== 'public') {
      remember(entry.envelope.id);
      return 'duplicate';
    }
    const known = entries.find((each) => each.envelope.id === entry.envelope.id);
    if (known)
      return known.envelope.contentHash === entry.envelope.contentHash ? 'duplicate' : 'conflict';
    entries = [...entries, entry]
      .sort((a, b) => Date.parse(a.envelope.alert.sent) - Date.parse(b.envelope.alert.sent))
      .slice(-MAX_ALERTS);
    revision++;
    return 'stored';
  };
  const write = () => {
    written = written.catch(() => undefined).then(() => writeEntries(path, entries));
    return written;
  };
  return {
    take: async (jws, arrival, hop) => {
      let envelope: Envelope;
      try {
        envelope = await openEnvelope(jws, verify);
      } catch (error) {
        events.alertArrived(arrival, 'refused', undefined, error);
        throw error;
      }
      if (envelope.audience === 'public') events.alertBegun(envelope, hop);
      const result = keep({ jws, envelope, onPageAtMs: now() });
      if (envelope.audience === 'public') events.alertArrived(arrival, result, envelope.id);
      if (result === 'stored') {
        await write();
        events.alertOnPage(envelope.id);
      } else await written.catch(() => undefined);
      return result;
    },
    envelopes: () => entries.filter(isPublic).map((each) => each.envelope),
    revision: () => revision,
    onPageAtMs: (id) => entries.find((each) => each.envelope.id === id)?.onPageAtMs,
    has: (id) => entries.some((each) => each.envelope.id === id),
    isCanary: (id) => canaries.has(id),
  };
}

async function readEntries(path: string, verify: Verify): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const { jws, onPageAtMs } of readStored(path)) {
    try {
      entries.push({ jws, onPageAtMs, envelope: await openEnvelope(jws, verify) });
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
    }
  }
  return entries;
}

/** Both lanes bring the alerts again, so a file that is missing or broken is an empty one. */
function readStored(path: string): Pick<Entry, 'jws' | 'onPageAtMs'>[] {
  try {
    const { jws, onPageAtMs } = StoredFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return jws.map((each, i) => ({ jws: each, onPageAtMs: onPageAtMs[i] ?? undefined }));
  } catch {
    return [];
  }
}

/** Written beside, synced and renamed: after a power cut there is the old list or the new one, never half of one. */
async function writeEntries(path: string, entries: readonly Entry[]): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o640);
  try {
    const onPageAtMs = entries.map((each) => each.onPageAtMs ?? null);
    await file.writeFile(
      JSON.stringify({ v: 1, jws: entries.map((each) => each.jws), onPageAtMs }),
    );
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
