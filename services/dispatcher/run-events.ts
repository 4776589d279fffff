import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { LaneOfWork } from './fair-share.ts';
import type { JournalState } from './journal.ts';
import type { Trust } from './ring.ts';
import type { Outcome } from './transports/transport.ts';

/** What does not change in the life of a run. */
export interface RunSetup {
  readonly alertId: string;
  readonly transport: TransportKind;
  readonly shards: number;
  readonly expiresAtMs: number;
  readonly self: string;
  /** All dispatchers in the same order everywhere; for a canary, this node alone. */
  readonly nodes: readonly string[];
}

/** What happened. */
export type RunEvent =
  /** The run begins; `earlier` are receipts of an earlier life of this node and of peers. */
  | { readonly type: 'begin'; readonly earlier: readonly CompletionReceipt[] }
  /** The recipients that a `load` asked for; `complete`: the shard has no more. */
  | {
      readonly type: 'slice';
      readonly shard: number;
      readonly deviceIds: readonly string[];
      readonly complete: boolean;
    }
  | {
      readonly type: 'outcome';
      readonly task: SendTask;
      readonly deviceId: string;
      readonly outcome: Outcome | NoOutcome;
    }
  | { readonly type: 'receipt'; readonly receipt: CompletionReceipt }
  /** Time has passed, a proof came or lapsed, a peer fell silent. */
  | { readonly type: 'tick' }
  /** The alert is over: cancelled, or this node stops. */
  | { readonly type: 'stop'; readonly state: JournalState };

/** `unknown-device`: unsubscribed meanwhile; `not-sent`: the alert was over before its turn came. */
export type NoOutcome = { readonly kind: 'unknown-device' } | { readonly kind: 'not-sent' };

/** Which send an outcome belongs to. */
export interface SendTask {
  readonly shard: number;
  readonly lane: LaneOfWork;
  readonly attempt: number;
  /** Sent for a silent peer's leftovers. */
  readonly takeOver: boolean;
}

/** What is to be done. In this order; the record (`say`) always comes after the act. */
export type RunDecision =
  /** Fetch the next slice of a shard's recipients, in the order of their ids. */
  | { readonly type: 'load'; readonly shard: number; readonly after: string }
  | {
      readonly type: 'send';
      readonly task: SendTask;
      readonly deviceIds: readonly string[];
      /** From the last one on: whom a peer that died here had not come to yet is reached first. */
      readonly isBackwards?: boolean;
    }
  /** Keep this receipt and say it to everybody. */
  | { readonly type: 'say'; readonly receipt: CompletionReceipt }
  /** Devices that their provider called gone, out of how many sends of the shard. */
  | { readonly type: 'gone'; readonly deviceIds: readonly string[]; readonly sent: number }
  | { readonly type: 'took-over'; readonly shard: number; readonly from: string }
  /** Nothing more is done for this alert on this transport. */
  | { readonly type: 'end'; readonly state: JournalState };

/** What a node knows of the others at this instant. */
export interface Surroundings {
  readonly nowMs: number;
  readonly trust: (node: string, heardAtMs: number) => Trust;
  readonly isProved: (node: string) => boolean;
  readonly silent: (node: string) => boolean;
  /** The last thing that was asked of it had no answer. Sooner than `silent`, and less sure. */
  readonly unanswering: (node: string) => boolean;
  /** This node's replica of the registry holds everybody, as far as can be known. */
  readonly isReplicaWhole: boolean;
}
