import { Counter, type Registry } from 'prom-client';
import { SEVERITIES, type Severity } from '../../shared/alert/cap-values.ts';
import { TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';

const NAME = 'dispatcher_accept_seconds';
const HELP =
  'Real alerts: time from ingest’s signature to the provider’s acceptance, for each send that was accepted';
/** Upper bounds in seconds. */
const BOUNDS: readonly number[] = [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];

interface Tally {
  readonly labels: { readonly transport: TransportKind; readonly severity: Severity };
  /** How many fell between the bound before and this one; the last: above all. */
  readonly buckets: number[];
  seconds: number;
}

/**
 * The histogram of acceptance times by transport and severity: plain numbers for each message, written into the metrics
 * when they are read (a labelled histogram costs as much as sealing a message).
 */
export function createAcceptTimes(registry: Registry) {
  const tallies = TRANSPORTS.flatMap((transport) =>
    SEVERITIES.map(
      (severity): Tally => ({
        labels: { transport, severity },
        buckets: [...BOUNDS, 0].map(() => 0),
        seconds: 0,
      }),
    ),
  );
  series(registry, '_bucket', ['transport', 'severity', 'le'], (counter) => {
    for (const { labels, buckets } of tallies) {
      let count = 0;
      for (const [at, each] of buckets.entries()) {
        count += each;
        counter.inc({ ...labels, le: String(BOUNDS[at] ?? '+Inf') }, count);
      }
    }
  });
  series(registry, '_sum', ['transport', 'severity'], (counter) => {
    for (const { labels, seconds } of tallies) counter.inc(labels, seconds);
  });
  series(registry, '_count', ['transport', 'severity'], (counter) => {
    for (const { labels, buckets } of tallies)
      counter.inc(
        labels,
        buckets.reduce((sum, each) => sum + each, 0),
      );
  });
  return (transport: TransportKind, severity: Severity): ((seconds: number) => void) => {
    const tally = tallies.find(
      ({ labels }) => labels.transport === transport && labels.severity === severity,
    );
    if (!tally) throw new Error('no such transport or severity');
    return (seconds) => {
      let at = 0;
      while (at < BOUNDS.length && seconds > (BOUNDS[at] ?? 0)) at++;
      tally.buckets[at] = (tally.buckets[at] ?? 0) + 1;
      tally.seconds += seconds;
    };
  };
}

function series(
  registry: Registry,
  suffix: '_bucket' | '_sum' | '_count',
  labelNames: string[],
  write: (counter: Counter) => void,
): void {
  const counter = new Counter({
    name: `${NAME}${suffix}`,
    help: HELP,
    labelNames,
    registers: [registry],
    collect() {
      counter.reset();
      write(counter);
    },
  });
}
