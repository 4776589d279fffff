import { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import { watchBus } from './bus-watch.ts';
import { startControl } from './control-server.ts';
import {
  filesOf,
  type Layout,
  type LayoutOptions,
  layoutOf,
  SERVICES,
  type ServiceKind,
} from './layout.ts';
import { ManagedProcess, type ProcessSpec } from './managed-process.ts';
import { findNatsServer } from './nats-server.ts';
import { checkPorts, isFree } from './ports.ts';
import { identify } from './process-identity.ts';
import {
  checkSources,
  type ExtraEnv,
  natsSpec,
  sandboxSpec,
  serviceSpec,
} from './process-specs.ts';
import { readRunFile, removeRunFile, takeOver, writeRunFile } from './run-file.ts';
import {
  type NetnsChoice,
  openSiteNetwork,
  removeSiteNetwork,
  type SiteNetwork,
} from './site-network.ts';
import { prepareState } from './state.ts';
import { makeStateDir } from './state-file.ts';
import { Supervisor } from './supervisor.ts';
import { urlsOf } from './urls.ts';
import { waitFor } from './wait-for.ts';

export interface SystemOptions extends LayoutOptions {
  /** Gets each line that tells what is being done. */
  readonly say?: (line: string) => void;
  /** Ends a start that is still under way; it then rejects. */
  readonly signal?: AbortSignal;
  /** Which services of each site are started; all by default. */
  readonly services?: readonly ServiceKind[];
  /** Settings that differ from those of `make run`, by kind of service. */
  readonly extraEnv?: ExtraEnv;
  /** Where a copy of nats-server is kept; default `bin` in the state folder. */
  readonly binDir?: string;
  /** Whether sites are put into network namespaces; default off. */
  readonly netns?: NetnsChoice;
  /** Called when somebody asked the control server to stop the system. */
  readonly onStopRequest?: () => void;
}

export interface System {
  readonly layout: Layout;
  readonly supervisor: Supervisor;
  /** Addresses by name, such as `ingest-a`; see {@link urlsOf}. */
  readonly urls: Readonly<Record<string, string>>;
  /** Stops everything within 15 s. */
  readonly close: () => Promise<void>;
}

const STARTUP_MS = 60_000;
/** P11: from a cold start of everything to work in 120 s. */
const READY_MS = 120_000;
const CLOSE_MS = 16_000;

/**
 * Starts a whole system on this machine and resolves when every process is ready. Rejects with an error for people when
 * it cannot; everything that was started is then ended.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const cleanup = new CleanupStack(CLOSE_MS);
  try {
    return { ...(await start(options, cleanup)), close: () => cleanup.close() };
  } catch (error) {
    await cleanup.close().catch(() => undefined);
    throw error;
  }
}

async function start(
  options: SystemOptions,
  cleanup: CleanupStack,
): Promise<Omit<System, 'close'>> {
  const { say = () => undefined, signal, services = SERVICES, extraEnv = {} } = options;
  const loopback = layoutOf(options);
  const files = filesOf(loopback.stateDir);
  makeStateDir(loopback.stateDir);
  if (services.length > 0) checkSources(['sandbox', ...services]);
  const before = readRunFile(files.runFile);
  await takeOver(files.runFile, say);
  await checkPorts(loopback);
  await removeSiteNetwork(loopback.portBase);
  if (before && (await isFree(layoutOf({ ...options, portBase: before.portBase }).controlPort)))
    await removeSiteNetwork(before.portBase);

  const supervisor = new Supervisor();
  const urls = urlsOf(loopback);
  const noteWhatRuns = () => writeRunFile(files.runFile, runFileOf(loopback, supervisor, urls));
  noteWhatRuns();
  cleanup.add('run.json', () => removeRunFile(files.runFile));
  let network: SiteNetwork | undefined;
  cleanup.add('network', async () => network?.close());
  cleanup.add('processes', () => supervisor.stop());
  const control = await startControl(loopback.controlPort, {
    supervisor,
    network: () => network,
    onStop: () => options.onStopRequest?.(),
  });
  cleanup.add('control', control.close);

  const nats = await findNatsServer({
    env: process.env,
    binDir: options.binDir ?? files.binDir,
    stateDir: loopback.stateDir,
    say,
  });
  say(`nats-server ${nats.version} (${nats.path}; from ${nats.source})`);
  signal?.throwIfAborted();
  const natsInContainer = nats.path.endsWith('-docker');
  network = await openSiteNetwork(options.netns ?? 'off', loopback, { say, natsInContainer });
  const layout: Layout = network ? { ...loopback, host: '0.0.0.0' } : loopback;
  prepareState(layout, Date.now());
  say(`keys, certificates and settings are in ${layout.stateDir}`);

  const launch = async (specs: readonly ProcessSpec[], until: 'startup' | 'ready') => {
    const processes = specs.map(
      (spec) => new ManagedProcess(network?.place(spec) ?? spec, { say, onChange: noteWhatRuns }),
    );
    for (const process of processes) {
      supervisor.add(process);
      process.start();
    }
    await Promise.all(
      processes.map((process) => {
        const url = until === 'startup' ? process.spec.startupUrl : process.spec.readyUrl;
        return waitFor(process, url, { timeoutMs: STARTUP_MS, signal });
      }),
    );
    for (const { spec } of processes) say(`${spec.name} is up: ${spec.url}`);
    return processes;
  };
  await launch(
    layout.sites.map((site) => natsSpec(layout, site, nats.path)),
    'ready',
  );
  if (services.length > 0) {
    await launch([sandboxSpec(layout, extraEnv)], 'ready');
    const specs = layout.sites.flatMap((site) =>
      services.map((kind) => serviceSpec(layout, site, kind, extraEnv)),
    );
    say(`starting ${specs.map(({ name }) => name).join(', ')}`);
    const started = await launch(specs, 'startup');
    // A canary is ready when its first proofs are in, which may take a minute: nobody has to wait for that.
    const serving = started.filter(({ spec }) => spec.kind !== 'canary');
    await Promise.all(
      serving.map((each) => waitFor(each, each.spec.readyUrl, { timeoutMs: READY_MS, signal })),
    );
  }
  for (const process of supervisor.all()) process.keepAlive();
  for (const { name } of layout.sites) {
    const process = supervisor.get(`nats-${name}`);
    if (!process) continue;
    const watch = watchBus(process, { storeDir: files.natsStore(name), say });
    cleanup.add(`watch of nats-${name}`, watch.close);
  }
  return { layout, supervisor, urls };
}

function runFileOf(layout: Layout, supervisor: Supervisor, urls: Readonly<Record<string, string>>) {
  return {
    v: 1 as const,
    launcher: identify(process.pid) ?? { pid: process.pid },
    portBase: layout.portBase,
    control: `http://127.0.0.1:${layout.controlPort}`,
    urls,
    processes: supervisor
      .all()
      .flatMap(({ spec, identity }) =>
        identity === undefined
          ? []
          : [{ ...identity, name: spec.name, kind: spec.kind, site: spec.site, url: spec.url }],
      ),
  };
}
