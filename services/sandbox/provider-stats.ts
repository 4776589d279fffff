import type { Provider } from './faults.ts';
import type { SandboxMetrics } from './metrics.ts';

interface ProviderCounts {
  requests: number;
  /** Answered 200 or 201. */
  accepted: number;
  /** Status → how many were refused with it. */
  refused: Record<string, number>;
  /** Connections that were reset, and requests that were left without an answer, by the switches. */
  unanswered: number;
  /** Messages by the node that says it sent them: FCM at once, Web Push once a crowd's device has decrypted it. */
  byNode: Record<string, number>;
}

/** More names than this are a mistake of the sender and are counted as `other`. */
const MAX_NODES = 50;
const NODE_NAME = /^[a-z0-9-]{1,16}$/;

/** What the providers took and refused since the sandbox started. */
export interface ProviderStats {
  requested(provider: Provider): number;
  answered(provider: Provider, status: number): void;
  unanswered(provider: Provider): void;
  sentBy(provider: Provider, node: unknown): void;
  read(): Readonly<Record<Provider, ProviderCounts>>;
}

export function createProviderStats(metrics: SandboxMetrics): ProviderStats {
  const empty = (): ProviderCounts => ({
    requests: 0,
    accepted: 0,
    refused: {},
    unanswered: 0,
    byNode: {},
  });
  const counts: Record<Provider, ProviderCounts> = { fcm: empty(), webPush: empty() };
  return {
    requested: (provider) => ++counts[provider].requests,
    answered: (provider, status) => {
      metrics.answers.inc({ provider, status: String(status) });
      if (status < 300) counts[provider].accepted++;
      else counts[provider].refused[status] = (counts[provider].refused[status] ?? 0) + 1;
    },
    unanswered: (provider) => {
      counts[provider].unanswered++;
    },
    sentBy: (provider, node) => {
      const { byNode } = counts[provider];
      const isName = typeof node === 'string' && NODE_NAME.test(node);
      const known = isName && (node in byNode || Object.keys(byNode).length < MAX_NODES);
      const name = known ? node : 'other';
      byNode[name] = (byNode[name] ?? 0) + 1;
    },
    read: () => counts,
  };
}
