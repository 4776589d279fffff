import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Breakage, everyPath, noPath, page, through } from '../breakage.ts';
import type { TruthSystem } from '../system/truth-system.ts';

const GROUP = 'credential';
const INGESTS = ['ingest-a', 'ingest-b'];

/** Changes a file of the state folder as long as the breakage lasts. */
function editing(
  fileOf: (system: TruthSystem) => string,
  edit: (text: string, system: TruthSystem) => string,
) {
  const before = new WeakMap<TruthSystem, string>();
  return {
    edit: (system: TruthSystem) => {
      const file = fileOf(system);
      const text = readFileSync(file, 'utf8');
      before.set(system, text);
      writeFileSync(file, edit(text, system));
    },
    undo: (system: TruthSystem) => {
      const text = before.get(system);
      if (text !== undefined) writeFileSync(fileOf(system), text);
    },
  };
}

/** Ingests read their keys when they start. */
async function restartIngests(system: TruthSystem): Promise<void> {
  for (const name of INGESTS) await system.restart(name, {});
}

function revokeApiKeys(
  canaries: readonly string[],
  breakage: Pick<Breakage, 'name' | 'title' | 'breaks' | 'blind' | 'expected'>,
): Breakage {
  const keys = editing(
    (system) => system.files().apiKeys,
    (text) => {
      const all = JSON.parse(text) as { keys: { id: string }[] };
      const left = all.keys.filter(({ id }) => !canaries.some((name) => id === `canary-${name}`));
      return JSON.stringify({ keys: left });
    },
  );
  return {
    ...breakage,
    group: GROUP,
    begin: async (system) => {
      keys.edit(system);
      await restartIngests(system);
    },
    heal: async (system) => {
      keys.undo(system);
      await restartIngests(system);
    },
  };
}

/** Gives a NATS user another password on every bus, and has the buses read it. */
function revokeBusUser(
  user: 'ingest' | 'dispatcher' | 'edge' | 'canary',
  breakage: Pick<Breakage, 'title' | 'breaks' | 'expected'>,
): Breakage {
  const configs = ['a', 'b'].map((site) =>
    editing(
      (system) => system.files().natsConfig(site),
      (text, system) => {
        const password = readFileSync(system.files().natsPassword(site, user), 'utf8').trim();
        return text.replaceAll(password, randomBytes(24).toString('base64url'));
      },
    ),
  );
  const reload = (system: TruthSystem) => {
    for (const site of system.sites()) system.reloadBus(site);
  };
  return {
    ...breakage,
    name: `revoke-bus-user-${user}`,
    group: GROUP,
    begin: async (system) => {
      for (const config of configs) config.edit(system);
      reload(system);
    },
    heal: async (system) => {
      for (const config of configs) config.undo(system);
      reload(system);
    },
  };
}

const otherToken: Breakage = {
  name: 'wrong-internal-token',
  group: GROUP,
  title: 'dispatcher b started with another internal token than everybody else',
  breaks: through({ lane: 'direct', dispatcher: 'b' }),
  expected: page('RouteUnproved'),
  begin: async (system) => {
    const file = join(system.faults.stateDir, 'secrets/another-internal-token');
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    await system.restart('dispatcher-b', { INTERNAL_TOKEN_FILE: file });
  },
  heal: async (system) => {
    const file = system.files().internalToken;
    await system.restart('dispatcher-b', { INTERNAL_TOKEN_FILE: file });
  },
};

export const REVOKED: readonly Breakage[] = [
  {
    name: 'revoke-fcm',
    group: GROUP,
    title: 'FCM service account withdrawn: no access tokens, 401 for those given',
    breaks: through({ transport: 'fcm' }),
    expected: page('TransportUnproved', 'ProviderRefuses', 'CredentialRefused'),
    begin: (system) => system.providers({ fcm: { revoked: true } }),
    heal: (system) => system.providers({}),
  },
  {
    name: 'revoke-vapid',
    group: GROUP,
    title: 'VAPID key refused by the push service (403)',
    breaks: through({ transport: 'web-push' }),
    expected: page('TransportUnproved', 'ProviderRefuses', 'CredentialRefused'),
    begin: (system) => system.providers({ webPush: { revoked: true } }),
    heal: (system) => system.providers({}),
  },
  revokeApiKeys(['a'], {
    name: 'revoke-canary-key',
    title: 'API key of canary a withdrawn at both ingests',
    breaks: (_path, canary) => canary === 'a',
    blind: ['a'],
    expected: page('CanarySilent'),
  }),
  revokeApiKeys(['a', 'b'], {
    name: 'revoke-both-canary-keys',
    title: 'API keys of both canaries withdrawn at both ingests',
    breaks: everyPath,
    blind: ['a', 'b'],
    expected: page('NoProof'),
  }),
  revokeBusUser('canary', {
    title: 'NATS user of the canaries withdrawn on both buses (a second way of their reports)',
    breaks: noPath,
    expected: { kind: 'nobody', alerts: [], withinSeconds: 180 },
  }),
  revokeBusUser('ingest', {
    title: 'NATS user of the ingests withdrawn on both buses',
    breaks: through({ lane: 'bus' }),
    expected: page('LaneUnproved', 'BusRefused'),
  }),
  otherToken,
];
