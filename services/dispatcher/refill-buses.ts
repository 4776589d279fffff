import type { JetStreamHandles, SiteBus } from '../../shared/bus/site-bus.ts';
import { alertMessageId, alertSubject, registrySubject } from '../../shared/bus/subjects.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../shared/envelope/signature.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { recordDeviceId } from '../../shared/subscription/registry-record.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherEvents } from './events.ts';
import type { Journal } from './journal.ts';
import { afterPass, type LackState, NO_LACK, takeTurn } from './refill-turn.ts';
import type { Registry } from './registry.ts';

const LOOK_EVERY_MS = 1_000;
const PUBLISH_TIMEOUT_MS = 5_000;
/** Alerts that are valid at a time are a few; more than this is not the bus's loss any more. */
const MAX_ALERTS = 1_000;
/** Together the bound of the rate: 2,000 records a second. */
const PAGE = 200;
const PAGE_EVERY_MS = 100;
/** With fewer than this share of the records there, asking which is dearer than being refused. */
const FEW = 0.1;

interface Deps {
  readonly node: string;
  /** All dispatchers by name. */
  readonly nodes: readonly string[];
  readonly buses: readonly SiteBus[];
  readonly journal: Journal;
  readonly registry: Registry;
  readonly verifyEnvelope: Verify;
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly now: Clock;
}

/**
 * Watches what the site's streams hold and puts back what they have lost: valid public alerts from the journal, under
 * the message id they always had, and records from the replica, each only where its device has none. So it does no harm
 * when several nodes do it, or when somebody writes a newer record meanwhile. The site needs nobody's help to be whole.
 */
export function refillBuses(deps: Deps): { close: () => Promise<void> } {
  const stop = new AbortController();
  const watching = deps.buses.map((bus) => watch(bus, deps, stop.signal));
  return {
    close: async () => {
      stop.abort();
      await Promise.all(watching);
    },
  };
}

async function watch(bus: SiteBus, deps: Deps, signal: AbortSignal): Promise<void> {
  const turn = Math.max(0, deps.nodes.indexOf(deps.node));
  let alertsCheckedFor: JetStreamHandles | undefined;
  let lack: LackState = NO_LACK;
  while (await sleep(LOOK_EVERY_MS, signal)) {
    const handles = bus.jetStream;
    if (!handles) continue;
    try {
      // A bus that was away is another connection: its streams may be new, or may have missed what came meanwhile.
      if (alertsCheckedFor !== handles) {
        await refillAlerts(bus, handles, deps);
        alertsCheckedFor = handles;
      }
      const { state } = await handles.manager.streams.info('REGISTRY');
      const look = { atMs: deps.now(), messages: state.messages, rows: deps.registry.rows() };
      const decided = takeTurn(lack, look, turn);
      lack = decided.state;
      if (!decided.fill) continue;
      const stored = await refillRegistry(bus, handles, look, deps, signal);
      lack = afterPass(lack, stored, deps.now());
    } catch (error) {
      deps.log.debug({ ...errorFields(error), bus: bus.site }, 'bus could not be filled again');
    }
  }
}

/** Not those that a Cancel or Update has ended: the Cancel goes back, which is what everybody needs to know. */
async function refillAlerts(
  bus: SiteBus,
  { manager }: JetStreamHandles,
  { journal, verifyEnvelope, events, now }: Deps,
): Promise<void> {
  let stored = 0;
  try {
    for (const entry of journal.valid(now(), MAX_ALERTS)) {
      const { alert } = await openEnvelope(entry.jws, verifyEnvelope);
      const subject = alertSubject({
        audience: entry.audience,
        sender: alert.sender,
        id: entry.id,
      });
      if (await manager.streams.getMessage('ALERTS', { last_by_subj: subject })) continue;
      await bus.publish(subject, entry.jws, {
        timeoutMs: PUBLISH_TIMEOUT_MS,
        msgId: alertMessageId(entry),
      });
      stored++;
    }
  } finally {
    if (stored > 0) events.busRefilled(bus.site, 'ALERTS', stored);
  }
}

/** One pass over the replica. Resolves to how many records were put back; the connection's end ends it early. */
async function refillRegistry(
  bus: SiteBus,
  handles: JetStreamHandles,
  look: { messages: number; rows: number },
  { registry, events, log }: Deps,
  signal: AbortSignal,
): Promise<number> {
  const present = look.messages < look.rows * FEW ? new Set<string>() : await subjectsOf(handles);
  let stored = 0;
  let after: string | undefined = '';
  try {
    do {
      // A row that is damaged is passed over: some other node has it whole.
      const page: ReturnType<Registry['goodRecords']> = registry.goodRecords(after, PAGE);
      after = page.last;
      const results = await Promise.all(
        page.records.map(async (record) => {
          const subject = registrySubject(recordDeviceId(record));
          if (present.has(subject)) return false;
          return bus.publishIfAbsent(subject, JSON.stringify(record), {
            timeoutMs: PUBLISH_TIMEOUT_MS,
          });
        }),
      );
      stored += results.filter(Boolean).length;
    } while (
      after !== undefined &&
      bus.jetStream === handles &&
      (await sleep(PAGE_EVERY_MS, signal))
    );
  } catch (error) {
    log.warn(
      { ...errorFields(error), bus: bus.site },
      'registry is not whole there yet; again later',
    );
  }
  if (stored > 0) events.busRefilled(bus.site, 'REGISTRY', stored);
  return stored;
}

async function subjectsOf({ manager }: JetStreamHandles): Promise<Set<string>> {
  const { state } = await manager.streams.info('REGISTRY', {
    subjects_filter: registrySubject('*'),
  });
  return new Set(Object.keys(state.subjects ?? {}));
}
