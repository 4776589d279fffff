import { Gauge, type Registry } from 'prom-client';
import { systemClock } from '../../../shared/time/clock.ts';
import { BREAKER_STATES } from './breaker.ts';
import type { FcmPace } from './fcm-pace.ts';
import type { OriginLimits } from './origin-limits.ts';

/** What holds sends back, asked when the metrics are read. No origin is named: they are addresses that strangers gave us. */
export function watchPacing(registry: Registry, pacing: { fcm: FcmPace; webPush: OriginLimits }) {
  const registers = [registry];
  new Gauge({
    name: 'dispatcher_breakers',
    help: 'Providers (FCM: the project; Web Push: origins) by state; open and half-open are taken for down',
    labelNames: ['transport', 'state'] as const,
    registers,
    collect() {
      const { breakers } = pacing.webPush.figures(systemClock());
      for (const state of BREAKER_STATES) {
        this.set({ transport: 'fcm', state }, state === pacing.fcm.breakerState ? 1 : 0);
        this.set({ transport: 'web-push', state }, breakers[state]);
      }
    },
  });
  new Gauge({
    name: 'dispatcher_fcm_rate_per_second',
    help: 'Sends a second that this node allows itself of the project’s quota; 0 while it waits out a Retry-After',
    registers,
    collect() {
      this.set(pacing.fcm.ratePerSecond(systemClock()));
    },
  });
  new Gauge({
    name: 'dispatcher_web_push_in_flight_limit',
    help: 'Sends that may be in flight to all known push services together',
    registers,
    collect() {
      this.set(pacing.webPush.figures(systemClock()).inFlightLimit);
    },
  });
  new Gauge({
    name: 'dispatcher_web_push_origins_paused',
    help: 'Push services that throttled us as a whole and are left alone until their Retry-After is over',
    registers,
    collect() {
      this.set(pacing.webPush.figures(systemClock()).paused);
    },
  });
}
