import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Network, type StartedNetwork } from 'testcontainers';
import { followStream } from '../../shared/bus/consume.ts';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { findNatsImage } from '../support/container-engine.ts';
import { describeWhere } from '../support/describe-where.ts';
import { eventually } from '../support/edge.ts';
import { type NatsContainer, startNatsContainer } from '../support/nats-container.ts';

const { image = '', missing } = findNatsImage();
const log = createLogger('test', 'test', 'silent');
const NAMES = ['n1', 'n2', 'n3'];
const CLUSTER = `cluster { name: site, port: 6222, routes: [ ${NAMES.map((name) => `nats://${name}:6222`).join(', ')} ] }`;
const LEADER_CHANGE_MS = 20_000;

// A large site may run its bus as a cluster of three.
describeWhere(missing, `one site with a cluster of three (${image})`, () => {
  let network: StartedNetwork;
  let nodes: NatsContainer[] = [];
  let bus: SiteBus;
  const stop = new AbortController();
  const read: string[] = [];

  beforeAll(async () => {
    network = await new Network().start();
    nodes = await Promise.all(
      NAMES.map((name) =>
        startNatsContainer({ image, network, name, config: CLUSTER, waitFor: '/varz' }),
      ),
    );
    bus = new SiteBus(
      {
        site: {
          site: 'a',
          url: nodes.map(({ url }) => url).join(','),
          // All of them: with the killed one's alone the bus was refused for as long as that one was dead.
          monitorUrl: nodes.map(({ monitorUrl }) => monitorUrl).join(','),
          replicas: 3,
        },
        clientName: 'test',
        streams: ['ALERTS'],
        allowUnsynced: false,
      },
      log,
    );
    void followStream(
      bus,
      { stream: 'ALERTS', start: () => ({ after: undefined }) },
      ({ data }) => void read.push(data),
      { log, signal: stop.signal },
    );
    await eventually('the cluster is usable', () => bus.ready, 60_000);
  }, 120_000);

  afterAll(async () => {
    stop.abort();
    await bus?.close();
    await Promise.all(nodes.map((each) => each.remove()));
    await network?.stop();
  }, 30_000);

  /** Repeats with the same id until it is acknowledged, as ingest's outbox does. */
  async function publishUntilAcknowledged(id: string): Promise<void> {
    const once = async () => {
      try {
        await bus.publish(`alert.public.test.${id}`, id, { timeoutMs: 1_000, msgId: id });
        return true;
      } catch {
        return false;
      }
    };
    await eventually(`${id} is acknowledged`, once, LEADER_CHANGE_MS);
  }

  async function stream() {
    return await eventually(
      'the stream has a leader',
      async () => {
        try {
          const info = await bus.jetStream?.manager.streams.info('ALERTS');
          return info?.cluster?.leader === undefined ? undefined : info;
        } catch {
          return undefined;
        }
      },
      LEADER_CHANGE_MS,
    );
  }

  test('P1: the leader of ALERTS is killed -9 under load: each publish is acknowledged within 20 s of repeats and stands once', async () => {
    expect((await stream()).config.num_replicas).toBe(3);
    const ids = Array.from({ length: 30 }, (_, i) => `alert-${i}`);
    await publishUntilAcknowledged('alert-0');
    const leader = (await stream()).cluster?.leader;
    const victim = nodes.find(({ name }) => name === leader);
    expect(victim).toBeDefined();
    const publishing = (async () => {
      for (const id of ids) await publishUntilAcknowledged(id);
    })();
    await victim?.killHard();
    await publishing;

    expect((await stream()).cluster?.leader).not.toBe(leader);
    expect((await stream()).state.messages).toBe(ids.length);
    const all = () => ids.every((id) => read.includes(id));
    await eventually('the reader has everything', all, 20_000);
    expect(new Set(read)).toEqual(new Set(ids));

    await victim?.start();
    await eventually(
      'the third is back and up to date',
      async () => {
        const replicas = (await stream()).cluster?.replicas ?? [];
        return (
          replicas.length === 2 && replicas.every(({ current, offline }) => current && !offline)
        );
      },
      40_000,
    );
    expect((await stream()).state.messages).toBe(ids.length);
  }, 120_000);
});
