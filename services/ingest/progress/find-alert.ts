import type { Peer } from '../../../shared/bus/bus-config.ts';
import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import type { Envelope } from '../../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import { fetchText } from '../../../shared/http/fetch-json.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { Chain } from '../accept/follow-up.ts';
import type { Outbox, OutboxEntry } from '../lanes/outbox.ts';

const LOOK_LIMIT_MS = 700;

interface Deps {
  readonly outbox: Outbox;
  readonly buses: readonly SiteBus[];
  readonly dispatchers: readonly Peer[];
  readonly internalToken: string;
  readonly verifyEnvelope: Verify;
}

/** An alert as this system holds it; `entry` is there when this ingest took it. */
export interface FoundAlert {
  readonly envelope: Envelope;
  readonly entry: OutboxEntry | undefined;
}

/**
 * The alert of an id: from our own outbox, or from whichever bus or dispatcher has it, so that what another site's ingest
 * took can be followed and cancelled here when that site is gone, and also when no bus is left. Its signature is checked
 * in every case.
 */
export async function findAlert(id: string, deps: Deps): Promise<FoundAlert | undefined> {
  const entry = deps.outbox.find(id);
  if (entry) return { envelope: await openEnvelope(entry.jws, deps.verifyEnvelope), entry };
  const looks = [
    ...deps.buses.map((bus) => lookOnBus(id, bus)),
    ...deps.dispatchers.map((peer) => askDispatcher(id, peer, deps.internalToken)),
  ].map(async (look) => opened(id, await look, deps.verifyEnvelope));
  const limit = sleep(LOOK_LIMIT_MS).then(() => undefined);
  const envelope = await Promise.race([Promise.any(looks).catch(() => undefined), limit]);
  return envelope && { envelope, entry: undefined };
}

async function lookOnBus(id: string, bus: SiteBus): Promise<string> {
  const stored = await bus.jetStream?.manager.direct.getMessage('ALERTS', {
    last_by_subj: `alert.*.*.${id}`,
  });
  if (!stored) throw new Error('not on this bus');
  return stored.string();
}

function askDispatcher(id: string, peer: Peer, token: string): Promise<string> {
  const url = new URL(`/v1/alerts/${id}/envelope`, peer.url).href;
  return fetchText(url, { token, timeoutMs: LOOK_LIMIT_MS });
}

async function opened(id: string, jws: string, verify: Verify): Promise<Envelope> {
  const envelope = await openEnvelope(jws, verify);
  if (envelope.id !== id) throw new Error('this is another alert');
  return envelope;
}

/**
 * The alert with its updates, oldest first, and what cancelled it, as far as this ingest knows. Updates that were refused
 * are among them: a 503 says that it may have gone out all the same, and a Cancel has to take it down then.
 */
export async function followUpsOf(
  found: FoundAlert,
  deps: Deps,
): Promise<{
  chain: Chain;
  cancel: OutboxEntry | undefined;
  refusedCancel: OutboxEntry | undefined;
}> {
  const followUps = deps.outbox.followUps(found.envelope.id);
  const updates = followUps.filter(({ msgType }) => msgType === 'Update');
  const opened = await Promise.all(
    updates.map(({ jws }) => openEnvelope(jws, deps.verifyEnvelope)),
  );
  const cancels = followUps.filter(({ msgType }) => msgType === 'Cancel');
  return {
    chain: [found.envelope.alert, ...opened.map(({ alert }) => alert)],
    cancel: cancels.find(({ state }) => state === 'accepted'),
    refusedCancel: cancels.findLast(({ state }) => state === 'refused'),
  };
}
