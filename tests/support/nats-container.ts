import { createServer } from 'node:net';
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';

/** A nats-server in a container, and what can happen to it. */
export interface NatsContainer {
  readonly name: string;
  readonly url: string;
  readonly monitorUrl: string;
  readonly killHard: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** No packet in or out, connections stay open at both ends: a cut fibre. */
  readonly cutOff: () => Promise<void>;
  readonly heal: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

interface Options {
  readonly image: string;
  readonly network: StartedNetwork;
  readonly name: string;
  /** Added to the configuration: a `cluster` block. */
  readonly config?: string;
  /** Wait for JetStream only where a server alone has it. */
  readonly waitFor: '/healthz' | '/varz';
}

export async function startNatsContainer(options: Options): Promise<NatsContainer> {
  const { image, network, name, config = '' } = options;
  const [client, monitor] = await freePorts();
  const content = `
server_name: ${name}
port: 4222
http: 8222
ping_interval: "2s"
ping_max: 2
jetstream { store_dir: /data, sync_interval: always, max_file_store: 8589934592 }
${config}`;
  const container = await new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases(name)
    .withCopyContentToContainer([{ content, target: '/etc/nats/test.conf' }])
    .withCommand(['--config', '/etc/nats/test.conf'])
    // Fixed, because a container that is killed and started again would get others.
    .withExposedPorts({ container: 4222, host: client }, { container: 8222, host: monitor })
    .withWaitStrategy(Wait.forHttp(options.waitFor, 8222))
    .withStartupTimeout(40_000)
    .start();
  return handle(container, network, { name, client, monitor });
}

async function handle(
  container: StartedTestContainer,
  network: StartedNetwork,
  { name, client, monitor }: { name: string; client: number; monitor: number },
): Promise<NatsContainer> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const self = dockerode.getContainer(container.getId());
  const host = container.getHost();
  // Its own, and the engine's default one where that carries the published ports.
  let networks: string[] = [];
  return {
    name,
    url: `nats://${host}:${client}`,
    monitorUrl: `http://${host}:${monitor}`,
    killHard: () => self.kill({ signal: 'SIGKILL' }),
    start: () => self.start(),
    cutOff: async () => {
      networks = Object.keys((await self.inspect()).NetworkSettings.Networks);
      for (const each of networks)
        await dockerode.getNetwork(each).disconnect({ Container: container.getId(), Force: true });
    },
    heal: async () => {
      for (const each of networks)
        await dockerode.getNetwork(each).connect({
          Container: container.getId(),
          ...(each === network.getName() ? { EndpointConfig: { Aliases: [name] } } : {}),
        });
    },
    remove: async () => {
      await container.stop({ timeout: 0, remove: true });
    },
  };
}

async function freePorts(): Promise<[number, number]> {
  const hold = () =>
    new Promise<{ port: number; close: () => void }>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        resolve({ port, close: () => server.close() });
      });
    });
  const [a, b] = [await hold(), await hold()];
  a.close();
  b.close();
  return [a.port, b.port];
}
