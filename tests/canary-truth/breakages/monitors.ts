import { type Breakage, noPath, page, ticket } from '../breakage.ts';
import { OUTSIDE_WATCHER } from '../system/outside-watcher.ts';

export const DEAD_MONITORS: readonly Breakage[] = [
  {
    name: 'kill-prometheus',
    group: 'monitor',
    title: 'Prometheus killed (kill -9)',
    breaks: noPath,
    expected: page(OUTSIDE_WATCHER),
    begin: ({ prometheus }) => prometheus.kill(),
    heal: ({ prometheus }) => prometheus.startAgain(),
  },
  {
    name: 'kill-alertmanager',
    group: 'monitor',
    title: 'Alertmanager killed (kill -9)',
    breaks: noPath,
    expected: page(OUTSIDE_WATCHER),
    begin: ({ alertmanager }) => alertmanager.kill(),
    heal: ({ alertmanager }) => alertmanager.startAgain(),
  },
  {
    name: 'dead-outside-watcher',
    group: 'monitor',
    title: 'the outside watcher takes no signs of life any more (connection refused)',
    breaks: noPath,
    // Four signs that failed, half a minute apart; or two notifications of Alertmanager.
    expected: ticket(300, 'DeadManFails', 'MonitoringFails'),
    begin: ({ watcher }) => watcher.die(),
    heal: ({ watcher }) => watcher.revive(),
  },
];
