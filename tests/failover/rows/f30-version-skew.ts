import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { filesOf } from '../../../deploy/local/layout.ts';
import { Alert } from '../../../shared/alert/alert.ts';
import { alertSubject } from '../../../shared/bus/subjects.ts';
import { SigningKey } from '../../../shared/envelope/key-set.ts';
import { createSigner } from '../../../shared/envelope/signature.ts';
import { signedEnvelope } from '../../support/signed-alerts.ts';
import { copies, devicesReport, draftAlert, raise } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

export const versionSkew: Row = {
  id: 'F30',
  title:
    'messages of a newer version (another v, an unknown field, signed by our key) on bus, direct lane and in the journal of a node that went back',
  promise:
    'they are passed over and counted, nothing waits behind them, a node starts with them in its journal, and today’s alerts reach everybody',
  runs: { full: 10, short: 1, seconds: 3 },
  seenToFail: 'the "newer" messages sent as today’s version: they go out to devices',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('standard');
  const site = random.pick(['a', 'b'] as const);
  const newer = await newerEnvelopes(system, stage.sabotage);
  const countedBefore = await junkCount(system, site);
  for (const { id, jws } of newer) await publish(system, site, id, jws);
  // An id of its own each time: the bus would take a second one for a repeat.
  await publish(system, site, randomBytes(16).toString('hex'), 'not even a signature');
  const statuses = await Promise.all(newer.map(({ jws }) => intake(system, site, jws)));
  const before = await raise(system, { first: site });
  const first = await judge(system, [before]);
  const counted = await untilCounted(system, site, countedBefore, newer.length + 1);

  await system.kill(`dispatcher-${site}`);
  const journal = new DatabaseSync(system.dataFile(`dispatcher-${site}`, 'journal.sqlite'));
  for (const { id, jws } of newer)
    journal
      .prepare(
        "INSERT OR IGNORE INTO alerts (id, jws, content_hash, audience, received_at, expires_at, state, arrivals) VALUES (?, ?, ?, 'public', ?, ?, 'open', '[\"bus\"]')",
      )
      .run(id, jws, 'x'.repeat(43), Date.now(), Date.now() + 3_600_000);
  journal.close();
  await system.start(`dispatcher-${site}`);
  const other = site === 'a' ? 'b' : 'a';
  await system.kill(`dispatcher-${other}`);
  try {
    const after = await raise(system, { first: site });
    const played = await judge(system, [before, after]);
    await delay(500);
    const reports = await Promise.all(newer.map(({ id }) => devicesReport(system, id)));
    const wrong = reports.reduce((sum, report) => sum + copies(report), 0);
    return {
      ...played,
      broken: [
        ...first.broken,
        ...played.broken,
        ...(wrong > 0 ? [`${wrong} copies of messages that are not understood went out`] : []),
        ...(statuses.some((status) => status !== 422) ? [`intake said ${statuses.join()}`] : []),
        ...(counted >= newer.length + 1 ? [] : [`${counted} of ${newer.length + 1} were counted`]),
      ],
      figures: { 'counted as not understood': counted },
    };
  } finally {
    await system.start(`dispatcher-${other}`);
    await stage.healthy();
  }
}

/** Envelopes as a later version might sign them with the same key. */
async function newerEnvelopes(system: FaultSystem, asToday: boolean) {
  const file = filesOf(system.stateDir).signingKey('a', 'public');
  const key = SigningKey.parse(JSON.parse(readFileSync(file, 'utf8')));
  const sign = await createSigner(key, 'envelope');
  const changes = [{ v: 2 }, { colour: 'red' }, { v: 2, shards: 'as many as it takes' }];
  return Promise.all(
    changes.map(async (change) => {
      const draft = await draftAlert();
      const { id, jws } = await signedEnvelope(Alert.parse(draft.body), key);
      const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8');
      const changed = { ...JSON.parse(payload), ...(asToday ? {} : change) };
      return { id, jws: await sign(JSON.stringify(changed)) };
    }),
  );
}

async function publish(system: FaultSystem, site: string, id: string, data: string): Promise<void> {
  const connection = await connect({
    servers: urlOf(system, `nats-${site}`),
    user: 'ingest',
    pass: readFileSync(filesOf(system.stateDir).natsPassword(site, 'ingest'), 'utf8').trim(),
  });
  try {
    const subject = alertSubject({ audience: 'public', sender: 'pref06@alerte.example', id });
    await jetstream(connection).publish(subject, data, { msgID: `${id}:skew` });
  } finally {
    await connection.close();
  }
}

async function intake(system: FaultSystem, site: string, jws: string): Promise<number> {
  const response = await fetch(`${urlOf(system, `dispatcher-${site}`)}/v1/intake`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${system.internalToken}`,
      'content-type': 'application/jose',
    },
    body: jws,
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  return response.status;
}

/** How many were counted since, once it is as many as wanted or has had time to be. */
async function untilCounted(
  system: FaultSystem,
  site: string,
  before: number,
  wanted: number,
): Promise<number> {
  for (const endMs = Date.now() + 5_000; ; await delay(100)) {
    const counted = (await junkCount(system, site)) - before;
    if (counted >= wanted || Date.now() > endMs) return counted;
  }
}

/** What a dispatcher counted as junk from the bus's alerts. */
async function junkCount(system: FaultSystem, site: string): Promise<number> {
  const text = await (await fetch(`${urlOf(system, `dispatcher-${site}`)}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => /junk/.test(line) && /alerts/.test(line) && !line.startsWith('#'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
