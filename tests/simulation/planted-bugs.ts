import type { RunDecision, RunEvent, RunSetup } from '../../services/dispatcher/run-events.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Hooks } from './hooks.ts';

export interface PlantedBug {
  readonly name: string;
  /** What somebody could have got wrong. */
  readonly mistake: string;
  readonly hooks: Hooks;
}

/** The event with every receipt in it changed. */
function withReceipts(
  event: RunEvent,
  change: (receipt: CompletionReceipt) => CompletionReceipt,
): RunEvent {
  if (event.type === 'receipt') return { ...event, receipt: change(event.receipt) };
  return event.type === 'begin' ? { ...event, earlier: event.earlier.map(change) } : event;
}

/** So that nobody can see that a peer gets nobody accepted. */
function withSomebodyAccepted(receipt: CompletionReceipt): CompletionReceipt {
  const { counts } = receipt;
  return { ...receipt, counts: { ...counts, accepted: Math.max(1, counts.accepted) } };
}

/** A receipt that says that a shard is done before anything in it was sent. */
function earlyReceipt(shard: number, setup: RunSetup): RunDecision {
  const { alertId, transport, shards, self: node } = setup;
  const counts = { accepted: 0, gone: 0, rejected: 0, dropped: 0 };
  const at = '2026-07-14T20:00:00.000Z';
  const head = { v: 1 as const, alertId, transport, shard, shards, node, at };
  return { type: 'say', receipt: { ...head, counts, pending: [], revision: 0 } };
}

/** Mistakes that the simulator has to find: each wraps production code in tests alone and breaks one thing. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'mark-before-send',
    mistake: 'the receipt of a shard is written when it is begun, not when it has its outcomes',
    hooks: {
      decisions: (decisions, setup) =>
        decisions.flatMap((each) =>
          each.type === 'load' && each.after === ''
            ? [earlyReceipt(each.shard, setup), each]
            : [each],
        ),
    },
  },
  {
    name: 'trust-an-unproven-peer',
    mistake: "a peer's word is good although no canary proves its route",
    hooks: { around: (around) => ({ ...around, trust: () => 'confirmed' }) },
  },
  {
    name: 'trusted-is-enough',
    mistake: 'a proof from before the receipt ends the run as one from after it does',
    hooks: {
      around: (around) => ({
        ...around,
        trust: (node, heardAtMs) =>
          around.trust(node, heardAtMs) === 'unproved' ? 'unproved' : 'confirmed',
      }),
    },
  },
  {
    name: 'forget-expiry-on-retry',
    mistake: 'retries go on after the alert has expired',
    hooks: { setup: (setup) => ({ ...setup, expiresAtMs: setup.expiresAtMs + 3_600_000 }) },
  },
  {
    name: 'ignore-cancel-before-alert',
    mistake: 'a Cancel that came before its Alert is forgotten by the dispatcher',
    hooks: {
      decideArrival: (real) => (alert, arrival, facts) =>
        real(alert, arrival, { ...facts, isEnded: false }),
      isEnded: () => false,
    },
  },
  {
    name: 'device-ignores-cancel-before-alert',
    mistake: 'a device remembers a Cancel only for what it has shown',
    hooks: {
      decide: (real) => (message, signedFor, accepts, memory, nowMs) => {
        const known = memory.filter(({ state }) => state === 'shown');
        return real(message, signedFor, accepts, known, nowMs);
      },
    },
  },
  {
    name: 'no-device-de-duplication',
    mistake: 'a device shows whatever comes, also what it has shown',
    hooks: {
      decide: (real) => (message, signedFor, accepts, memory, nowMs) => {
        const known = memory.filter(({ state }) => state !== 'shown');
        return real(message, signedFor, accepts, known, nowMs);
      },
    },
  },
  {
    name: 'other-shard-counts-accepted',
    mistake: 'a receipt counts although its audience was cut otherwise',
    hooks: {
      event: (event, { shards }) => withReceipts(event, (receipt) => ({ ...receipt, shards })),
    },
  },
  {
    name: 'drop-pending-from-receipts',
    mistake: 'a receipt does not name who is still to be tried again',
    hooks: {
      decisions: (decisions) =>
        decisions.map((each) =>
          each.type === 'say' ? { ...each, receipt: { ...each.receipt, pending: [] } } : each,
        ),
    },
  },
  {
    name: 'never-take-over',
    mistake: "a dead peer's retries are nobody's",
    hooks: { around: (around) => ({ ...around, silent: () => false }) },
  },
  {
    name: 'claim-with-a-partial-replica',
    mistake: 'a node whose replica lacks people says that it has done its shards',
    hooks: { around: (around) => ({ ...around, isReplicaWhole: true }) },
  },
  {
    name: 'gone-on-5xx',
    mistake: "a provider's fault is taken for a dead address",
    hooks: {
      event: (event) =>
        event.type === 'outcome' && event.outcome.kind === 'unavailable'
          ? { ...event, outcome: { kind: 'gone' } }
          : event,
    },
  },
  {
    name: 'canary-for-everybody',
    mistake: 'a test is sent to the public',
    hooks: { canaryForEverybody: true },
  },
  {
    name: 'thawed-sends-before-it-asks',
    mistake: 'a node that was frozen or down goes on sending without asking what ended meanwhile',
    hooks: { mayHaveMissed: () => false },
  },
  {
    name: 'leave-it-to-a-refused-peer',
    mistake:
      'a peer that lives and gets nobody accepted keeps what it holds until its proof lapses',
    hooks: {
      event: (event) => withReceipts(event, withSomebodyAccepted),
    },
  },
  {
    name: 'retry-nothing',
    mistake: 'a throttled send is final',
    hooks: {
      event: (event) =>
        event.type === 'outcome' && event.outcome.kind === 'throttled'
          ? { ...event, outcome: { kind: 'rejected', reason: 'throttled' } }
          : event,
    },
  },
];

export function plantedBug(name: string): PlantedBug {
  const bug = PLANTED_BUGS.find((each) => each.name === name);
  if (bug === undefined)
    throw new Error(
      `no planted bug is named ${name}; there are ${PLANTED_BUGS.map((each) => each.name).join(', ')}`,
    );
  return bug;
}
