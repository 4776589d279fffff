import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { JudgedPath } from '../judge.ts';

export interface DeafTransport {
  readonly transport: TransportKind;
  /** Nothing has come by it for this long. */
  readonly silenceMs: number;
}

/**
 * Transports by which no path is proved or merely late. A device has one transport: what arrives by another does it no
 * good, so "an alert would arrive" is not true for it (P5). Pure.
 */
export function deafTransports(paths: readonly JudgedPath[]): DeafTransport[] {
  const transports = [...new Set(paths.map(({ path }) => path.transport))];
  return transports.flatMap((transport) => {
    const own = paths.filter(({ path }) => path.transport === transport);
    if (own.some(({ state }) => state === 'proved' || state === 'late')) return [];
    return [{ transport, silenceMs: Math.min(...own.map(({ silenceMs }) => silenceMs)) }];
  });
}
