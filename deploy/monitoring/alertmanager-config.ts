/** Where calls go. Each is a webhook; a page goes to all of `pagers`, which should share nothing. */
export interface Receivers {
  readonly pagers: readonly string[];
  readonly tickets: string;
  /** Outside watcher that calls when this stays away (healthchecks.io takes at most five a minute). */
  readonly deadMan: string;
}

const webhooks = (urls: readonly string[], sendResolved: boolean) =>
  urls.map((url) => ({ url, send_resolved: sendResolved }));

/**
 * Alertmanager's configuration (written as JSON, which is YAML too): who is called, and when. The default `group_wait` of
 * 30 s would be a sixth of the time in which a dead path has to be paged, so a page waits for nothing. The widest word is
 * said once: nobody reads sixteen pages at three in the morning.
 */
export function alertmanagerConfig(receivers: Receivers) {
  return {
    route: {
      receiver: 'pager',
      group_by: ['alertname', 'scope'],
      group_wait: '0s',
      group_interval: '1m',
      repeat_interval: '15m',
      routes: [
        {
          matchers: ['alertname="Watchdog"'],
          receiver: 'dead-man',
          group_interval: '30s',
          repeat_interval: '30s',
        },
        {
          matchers: ['severity="ticket"'],
          receiver: 'tickets',
          group_wait: '30s',
          repeat_interval: '24h',
        },
      ],
    },
    receivers: [
      { name: 'pager', webhook_configs: webhooks(receivers.pagers, true) },
      { name: 'tickets', webhook_configs: webhooks([receivers.tickets], true) },
      { name: 'dead-man', webhook_configs: webhooks([receivers.deadMan], false) },
    ],
    inhibit_rules: WIDEST_WORD.map(([source, target, ...equal]) => ({
      source_matchers: [source],
      target_matchers: [target],
      ...(equal.length === 0 ? {} : { equal }),
    })),
  };
}

/**
 * Who is silent while whom speaks, about the same thing (the labels behind). Each source waits less than its targets do:
 * what was paged before cannot be unsaid. Sources whose targets end later are kept firing (`keep_firing_for`).
 */
const WIDEST_WORD: readonly (readonly [source: string, target: string, ...equal: string[]])[] = [
  ['alertname="NoProof"', 'scope=~"transport|part|path"'],
  ['scope=~"transport|part"', 'scope="path"'],
  ['alertname="BusUnsynced"', 'alertname=~"BusRefused|BusUnhealthy|BusStreamMissing"', 'bus'],
  ['alertname="BusRefused"', 'alertname=~"BusUnhealthy|BusStreamMissing|BusReadersLag"', 'bus'],
  ['alertname="BusUnhealthy"', 'alertname=~"BusStreamMissing|BusReadersLag"', 'bus'],
  ['alertname="CredentialEndsSoon"', 'alertname="CredentialEnds"', 'credential'],
  [
    'alertname="CredentialRefused"',
    'alertname=~"ProviderRefuses|FanOutStalls"',
    'node',
    'transport',
  ],
  ['alertname="ProviderRefuses"', 'alertname="FanOutStalls"', 'node', 'transport'],
  ['alertname="TransportUnproved"', 'alertname="FanOutStalls"', 'transport'],
];
