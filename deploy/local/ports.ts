import { createServer } from 'node:net';
import { type Layout, layoutOf, portsOf } from './layout.ts';

/** Some ports are in use by programs that are not ours. The message names each and says what to change. */
export class PortsTakenError extends Error {
  override readonly name = 'PortsTakenError';
}

/** Throws PortsTakenError when the system could not listen where it has to. */
export async function checkPorts(layout: Layout): Promise<void> {
  const taken: string[] = [];
  for (const { port, use } of portsOf(layout)) {
    if (!(await isFree(port))) taken.push(`  port ${port} (${use}) is taken by another program`);
  }
  if (taken.length === 0) return;
  throw new PortsTakenError(
    `${taken.join('\n')}\nWhat to do: stop that program, or choose other ports: make run PORT_BASE=${layout.portBase + 200} ` +
      `(all from PORT_BASE to PORT_BASE + 99)`,
  );
}

/** True when nobody listens there on IPv4's loopback or on all addresses. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      probe.close(() => resolve(true)),
    );
  });
}

/** A PORT_BASE whose ports are all free now, for tests that start a whole system beside others. */
export async function findFreePortBase(
  sites: number,
  random: () => number = Math.random,
): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    // Below Linux' ephemeral range (32768 on), where any outgoing connection may sit.
    const portBase = 20_000 + 100 * Math.floor(random() * 120);
    const free = await Promise.all(
      portsOf(layoutOf({ sites, portBase, stateDir: '/' })).map(({ port }) => isFree(port)),
    );
    if (free.every(Boolean)) return portBase;
  }
  throw new Error('no free range of ports was found');
}
