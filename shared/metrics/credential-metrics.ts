import { Gauge, type Registry } from 'prom-client';
import type { CredentialState } from '../receipt/credential.ts';

const seconds = (instant: string) => Date.parse(instant) / 1000;

/**
 * Shows when credentials end and when they were last accepted or refused, asked when the metrics are read. Of several
 * with one name the worst counts: the earliest end, the oldest acceptance, the newest refusal. What never happened is 1970 where it could
 * have happened (`push-key`), and absent elsewhere.
 */
export function createCredentialMetrics(
  registry: Registry,
  read: () => readonly CredentialState[],
): void {
  const show = (
    name: string,
    help: string,
    figureOf: (state: CredentialState) => number | undefined,
    worse: (a: number, b: number) => number = Math.min,
  ) => {
    new Gauge({
      name,
      help,
      labelNames: ['credential'] as const,
      registers: [registry],
      collect() {
        this.reset();
        const worst = new Map<string, number>();
        for (const state of read()) {
          const value = figureOf(state);
          if (value === undefined) continue;
          worst.set(state.name, worse(value, worst.get(state.name) ?? value));
        }
        for (const [credential, value] of worst) this.set({ credential }, value);
      },
    });
  };
  show(
    'credential_expiry_timestamp_seconds',
    'When a certificate, key or account ends, as this process holds or sees it',
    ({ expiresAt }) => (expiresAt === undefined ? undefined : seconds(expiresAt)),
  );
  show(
    'credential_last_accepted_timestamp_seconds',
    'When it was last seen to work: a verified handshake, an accepted send or request, a proof of receipt',
    ({ kind, lastProvedAt }) =>
      lastProvedAt === undefined ? (kind === 'push-key' ? 0 : undefined) : seconds(lastProvedAt),
  );
  show(
    'credential_last_refused_timestamp_seconds',
    'When it was last refused, by a provider or by the check of a certificate',
    ({ kind, lastRefusedAt }) =>
      lastRefusedAt === undefined ? (kind === 'push-key' ? 0 : undefined) : seconds(lastRefusedAt),
    Math.max,
  );
}
