import { ConfigError } from '../../shared/config/parse-env.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import { waitForProof } from './first-proof.ts';
import { urlOf } from './layout.ts';
import { NatsServerError } from './nats-server.ts';
import { readOptions } from './options.ts';
import { PortsTakenError } from './ports.ts';
import { AlreadyRunningError } from './run-file.ts';
import { type System, startSystem } from './start-system.ts';
import { welcome } from './urls.ts';
import { StartError } from './wait-for.ts';

const FIRST_PROOF_MS = 90_000;
/** Errors whose message is made for the person at the terminal; anything else is a bug and shows its stack. */
const FOR_PEOPLE = [ConfigError, NatsServerError, PortsTakenError, AlreadyRunningError, StartError];

const startedMs = Date.now();
const stop = new AbortController();

function say(line: string): void {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`[${seconds.padStart(6)} s] ${line}\n`);
}

/** The first signal stops in order, the second at once. */
function stopOnSignals(system: () => System | undefined): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) {
        say(`${name}: stopping everything (once more: at once)`);
        stop.abort(new Error('stopped'));
        return;
      }
      system()?.supervisor.killAll();
      process.exit(130);
    });
  }
}

async function sayProofs(system: System): Promise<void> {
  await Promise.all(
    system.layout.sites.map(async (site) => {
      const count = await waitForProof(urlOf(site, 'canary'), {
        timeoutMs: FIRST_PROOF_MS,
        signal: stop.signal,
      });
      if (stop.signal.aborted) return;
      if (count === undefined)
        say(
          `canary-${site.name}: no proof after ${FIRST_PROOF_MS / 1000} s; its on-call page says why`,
        );
      else
        say(
          `canary-${site.name}: first proof received (${count.proved} of ${count.total} paths so far)`,
        );
    }),
  );
}

async function run(): Promise<void> {
  const options = readOptions(process.env);
  let system: System | undefined;
  stopOnSignals(() => system);
  system = await startSystem({
    ...options,
    say,
    signal: stop.signal,
    onStopRequest: () => stop.abort(new Error('stopped')),
  });
  say('everything is up');
  process.stdout.write(welcome(system.layout));
  const proofs = sayProofs(system);
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  await proofs;
  await system.close();
  say('stopped');
}

try {
  await run();
  process.exit(0);
} catch (error) {
  if (stop.signal.aborted) {
    say('stopped');
    process.exit(130);
  }
  const isForPeople = FOR_PEOPLE.some((kind) => error instanceof kind);
  const { error: message, stack } = errorFields(error);
  process.stderr.write(
    `\nmake run: ${isForPeople ? (error as Error).message : (stack ?? message)}\n`,
  );
  process.exit(1);
}
