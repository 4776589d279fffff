import { Gauge, type Registry } from 'prom-client';

/** `read` gives the delay in milliseconds, asked when the metrics are read. */
export function watchLoopDelay(registry: Registry, read: () => number): void {
  new Gauge({
    name: 'dispatcher_event_loop_delay_seconds',
    help: 'How late the event loop ran, on average over the last half second; above 0.1 retries are held back',
    registers: [registry],
    collect() {
      this.set(read() / 1000);
    },
  });
}
