import { z } from 'zod';
import type { Layout, ServiceKind, Site } from '../../../deploy/local/layout.ts';
import { layoutOf } from '../../../deploy/local/layout.ts';
import { findFreePortBase } from '../../../deploy/local/ports.ts';
import { type Piece, type ProxyFaults, TcpFaultProxy } from '../../support/tcp-fault-proxy.ts';
import type { AdjustSpec } from './fault-system.ts';

type Far = ServiceKind | 'nats' | 'natsMonitor';
const FAR: readonly Far[] = ['dispatcher', 'ingest', 'edge', 'canary', 'nats', 'natsMonitor'];
const LISTS = ['DISPATCHERS', 'INGESTS', 'EDGES', 'CANARIES', 'NATS_SITES'] as const;
const Entries = z.array(
  z.looseObject({ site: z.string(), url: z.string(), monitorUrl: z.string().optional() }),
);

/** Which links are meant; what is not named is any. */
export interface LinkFilter {
  readonly from?: string;
  readonly to?: string;
  readonly kinds?: readonly Far[];
}

/** One link: from a site's services to this kind of process of a site. */
export interface LinkName {
  readonly from: string;
  readonly to: string;
  readonly kind: Far;
}

/** A proxy between every site's services and every service and bus, its own site's too. */
export interface Links {
  readonly portBase: number;
  readonly adjust: AdjustSpec;
  readonly set: (filter: LinkFilter, faults: Partial<ProxyFaults>) => void;
  readonly answersCut: () => number;
  /** Shows what passes on these links, piece by piece, right before it is passed on; undefined ends it. */
  readonly watch: (
    filter: LinkFilter,
    watcher: ((link: LinkName, piece: Piece) => void) | undefined,
  ) => void;
  readonly close: () => Promise<void>;
}

interface Link extends LinkName {
  readonly targetPort: number;
  readonly proxy: TcpFaultProxy;
}

export async function startLinks(): Promise<Links> {
  const portBase = await findFreePortBase(2);
  const { sites }: Layout = layoutOf({ sites: 2, portBase, stateDir: '/' });
  const links: Link[] = [];
  for (const from of sites)
    for (const to of sites) for (const kind of FAR) links.push(await startLink(from, to, kind));
  return {
    portBase,
    adjust: (spec) => {
      if (spec.site === undefined || spec.kind === 'nats') return spec;
      const own = links.filter(({ from }) => from === spec.site);
      const env = { ...spec.env };
      for (const name of LISTS) {
        const list = env[name];
        if (list !== undefined) env[name] = throughLinks(list, own);
      }
      return { ...spec, env };
    },
    set: (filter, faults) => {
      for (const link of links) if (isMeant(link, filter)) link.proxy.set(faults);
    },
    watch: (filter, watcher) => {
      for (const link of links.filter((each) => isMeant(each, filter)))
        link.proxy.watch(
          watcher &&
            ((piece) => {
              watcher(link, piece);
              return 'pass';
            }),
        );
    },
    answersCut: () => links.reduce((sum, { proxy }) => sum + proxy.answersCut, 0),
    close: async () => {
      await Promise.all(links.map(({ proxy }) => proxy.close()));
    },
  };
}

function isMeant(link: Link, { from, to, kinds }: LinkFilter): boolean {
  return (
    (from ?? link.from) === link.from &&
    (to ?? link.to) === link.to &&
    (kinds?.includes(link.kind) ?? true)
  );
}

async function startLink(from: Site, to: Site, kind: Far): Promise<Link> {
  const targetPort = to.ports[kind];
  const proxy = await TcpFaultProxy.start({ host: '127.0.0.1', port: targetPort });
  return { from: from.name, to: to.name, kind, targetPort, proxy };
}

function throughLinks(list: string, links: readonly Link[]): string {
  const through = (url: string) => {
    const { port } = new URL(url);
    const link = links.find(({ targetPort }) => String(targetPort) === port);
    if (link === undefined) throw new Error(`no link leads to ${url}`);
    return url.replace(`:${port}`, `:${link.proxy.port}`);
  };
  const entries = Entries.parse(JSON.parse(list)).map((each) => ({
    ...each,
    url: through(each.url),
    ...(each.monitorUrl === undefined ? {} : { monitorUrl: through(each.monitorUrl) }),
  }));
  return JSON.stringify(entries);
}
