import { Gauge, type Registry } from 'prom-client';
import { WATCHED_STREAMS } from './nats-answers.ts';
import type { BusServerState } from './start-bus-health.ts';

type Read = () => readonly BusServerState[];

/**
 * Each NATS server's health, asked when the metrics are read. Labels are the sites and addresses of NATS_SITES and the
 * names of our own streams. A server that does not answer shows `up` and `healthy` 0 and nothing else: no old figures.
 */
export function createBusMetrics(registry: Registry, read: Read): void {
  const shown = { registry, read };
  perServer(shown, 'up', '1 when its monitoring port answered', ({ look }) => Number(look.up));
  perServer(
    shown,
    'healthy',
    '1 when /healthz says ok: JetStream runs, its streams can be read',
    ({ look }) => Number(look.healthy),
  );
  perServer(
    shown,
    'sync_always',
    '1 when each write is synced before it is acknowledged; 0 breaks promise P1',
    ({ look }) => (look.jetStream === undefined ? undefined : Number(look.jetStream.syncAlways)),
  );
  perServer(
    shown,
    'storage_bytes',
    'Bytes of files that JetStream has in use',
    ({ look }) => look.jetStream?.storageBytes,
  );
  perServer(
    shown,
    'storage_limit_bytes',
    'Bytes of files that JetStream may use',
    ({ look }) => look.jetStream?.storageLimitBytes,
  );
  perServer(
    shown,
    'api_errors',
    'Requests to JetStream’s API that failed since the server began',
    ({ look }) => look.jetStream?.apiErrors,
  );
  perServer(shown, 'connections', 'Clients that are connected', ({ look }) => look.connections);
  perServer(
    shown,
    'slow_consumers',
    'Clients that it cut off since it began: too slow',
    ({ look }) => look.slowConsumers,
  );
  perServer(
    shown,
    'last_error_timestamp_seconds',
    'When it last did not answer, or was not healthy; 0: never',
    (state) => (state.lastErrorAtMs ?? 0) / 1000,
  );
  perStream(registry, read);
}

function perServer(
  { registry, read }: { registry: Registry; read: Read },
  name: string,
  help: string,
  figureOf: (state: BusServerState) => number | undefined,
): void {
  new Gauge({
    name: `canary_bus_${name}`,
    help,
    labelNames: ['bus', 'server'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const state of read()) {
        const value = figureOf(state);
        if (value !== undefined) this.set({ bus: state.bus, server: state.server }, value);
      }
    },
  });
}

const STREAM_GAUGES = [
  ['present', '1 when the server has the stream, 0 when it is missing'],
  ['messages', 'Messages in the stream'],
  ['bytes', 'Bytes of the stream'],
  ['limit_bytes', 'Bytes that the stream may have'],
  ['consumers', 'Readers of the stream'],
  ['pending_messages', 'Messages that the reader which is furthest behind has not been given'],
] as const;
type StreamGauge = (typeof STREAM_GAUGES)[number][0];

function perStream(registry: Registry, read: Read): void {
  for (const [gauge, help] of STREAM_GAUGES)
    new Gauge({
      name: `canary_bus_stream_${gauge}`,
      help,
      labelNames: ['bus', 'server', 'stream'] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const state of read())
          for (const { stream, value } of streamValues(state, gauge))
            this.set({ bus: state.bus, server: state.server, stream }, value);
      },
    });
}

function streamValues({ look }: BusServerState, gauge: StreamGauge) {
  const { jetStream } = look;
  if (jetStream === undefined) return [];
  if (gauge === 'present')
    return WATCHED_STREAMS.map((stream) => ({
      stream,
      value: Number(jetStream.streams.some((each) => each.stream === stream)),
    }));
  return jetStream.streams.map((figures) => ({
    stream: figures.stream,
    value: {
      messages: figures.messages,
      bytes: figures.bytes,
      limit_bytes: Math.max(0, figures.limitBytes),
      consumers: figures.consumers,
      pending_messages: figures.pending,
    }[gauge],
  }));
}
