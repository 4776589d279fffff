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
  perServer(shown, 'canary_bus_up', '1 when its monitoring port answered', ({ look }) =>
    Number(look.up),
  );
  perServer(
    shown,
    'canary_bus_healthy',
    '1 when /healthz says ok: JetStream runs, its streams can be read',
    ({ look }) => Number(look.healthy),
  );
  perServer(
    shown,
    'canary_bus_sync_always',
    '1 when each write is synced before it is acknowledged; 0 breaks promise P1',
    ({ look }) => (look.jetStream === undefined ? undefined : Number(look.jetStream.syncAlways)),
  );
  perServer(
    shown,
    'canary_bus_storage_bytes',
    'Bytes of files that JetStream has in use',
    ({ look }) => look.jetStream?.storageBytes,
  );
  perServer(
    shown,
    'canary_bus_storage_limit_bytes',
    'Bytes of files that JetStream may use',
    ({ look }) => look.jetStream?.storageLimitBytes,
  );
  perServer(
    shown,
    'canary_bus_api_errors',
    'Requests to JetStream’s API that failed since the server began',
    ({ look }) => look.jetStream?.apiErrors,
  );
  perServer(
    shown,
    'canary_bus_connections',
    'Clients that are connected',
    ({ look }) => look.connections,
  );
  perServer(
    shown,
    'canary_bus_slow_consumers',
    'Clients that it cut off since it began: too slow',
    ({ look }) => look.slowConsumers,
  );
  perServer(
    shown,
    'canary_bus_last_error_timestamp_seconds',
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
    name,
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
  ['canary_bus_stream_present', '1 when the server has the stream, 0 when it is missing'],
  ['canary_bus_stream_messages', 'Messages in the stream'],
  ['canary_bus_stream_bytes', 'Bytes of the stream'],
  ['canary_bus_stream_limit_bytes', 'Bytes that the stream may have; 0: no limit'],
  ['canary_bus_stream_consumers', 'Readers of the stream'],
  [
    'canary_bus_stream_pending_messages',
    'Messages that the reader which is furthest behind has not been given',
  ],
] as const;
type StreamGauge = (typeof STREAM_GAUGES)[number][0];

function perStream(registry: Registry, read: Read): void {
  for (const [gauge, help] of STREAM_GAUGES)
    new Gauge({
      name: gauge,
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
  if (gauge === 'canary_bus_stream_present')
    return WATCHED_STREAMS.map((stream) => ({
      stream,
      value: Number(jetStream.streams.some((each) => each.stream === stream)),
    }));
  return jetStream.streams.map((figures) => ({
    stream: figures.stream,
    value: {
      canary_bus_stream_messages: figures.messages,
      canary_bus_stream_bytes: figures.bytes,
      canary_bus_stream_limit_bytes: Math.max(0, figures.limitBytes),
      canary_bus_stream_consumers: figures.consumers,
      canary_bus_stream_pending_messages: figures.pending,
    }[gauge],
  }));
}
