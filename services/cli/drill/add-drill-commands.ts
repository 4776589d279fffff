import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { type CliConfig, loadConfig } from '../config.ts';
import type { CliDeps } from '../start-cli.ts';
import type { Texts } from '../texts-fr.ts';
import { correction } from './correction.ts';
import { deadReceiver } from './dead-receiver.ts';
import type { Drill, DrillDeps, DrillSystem } from './drill.ts';
import { nodeToRestart, RESTARTABLE, type Restartable, restart } from './restart.ts';
import { restore } from './restore.ts';
import { type RunOptions, runDrill } from './run-drill.ts';

interface Options extends Pick<RunOptions, 'yes' | 'json'> {
  readonly by?: string;
  readonly transport: string;
  readonly service: string;
  readonly node?: string;
  readonly ingest?: string;
  readonly alertmanager?: string;
}

/** `tocsin drill …`. */
export function addDrillCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts.drill;
  const drill = program.command('drill').description(help.drill).addHelpText('after', help.after);
  const add = (
    name: string,
    description: string,
    make: (options: Options, system: DrillSystem) => Drill,
  ) =>
    drill
      .command(name)
      .description(description)
      .addHelpText('after', help.after)
      .option('-y, --yes', texts.help.yes)
      .option('--json', help.json)
      .option('--by <name>', help.by)
      .action((options: Options, command: Command) =>
        run(options, command, make, { texts, cli: deps }),
      );
  add('dead-receiver', help.deadReceiver, ({ transport }) => {
    const kind = oneOf(TRANSPORTS, transport, '--transport', texts);
    return deadReceiver(kind, texts.drill.what.deadReceiver(kind));
  })
    .option('--transport <name>', help.transport, 'web-push' satisfies TransportKind)
    .option('--alertmanager <url>', help.alertmanager);
  add('restart', help.restart, (options, system) => {
    const service = oneOf(RESTARTABLE, options.service, '--service', texts);
    const { name } = nodeToRestart(service, options.node, { system, texts });
    return restart(service, name, texts.drill.what.restart(service, name));
  })
    .option('--service <kind>', help.service, 'dispatcher' satisfies Restartable)
    .option('--node <name>', help.node);
  add('restore', help.restore, (options, { dispatchers }) => {
    const name = options.node ?? dispatchers[0]?.name ?? '?';
    return restore(options.node, texts.drill.what.restore(name));
  }).option('--node <name>', help.node);
  add('correction', help.correction, (options, { ingests }) => {
    const name = options.ingest ?? ingests[0]?.name ?? '?';
    return correction(options.ingest, texts.drill.what.correction(name));
  }).option('--ingest <name>', help.ingest);
}

async function run(
  options: Options,
  command: Command,
  make: (options: Options, system: DrillSystem) => Drill,
  { texts, cli }: { texts: Texts; cli: CliDeps },
): Promise<void> {
  const config = loadConfig(command.optsWithGlobals<{ config?: string }>().config, cli.env);
  const system = systemOf(config, options);
  const drill = make(options, system);
  const by = options.by ?? cli.env['USER'] ?? cli.env['LOGNAME'] ?? 'tocsin drill';
  const stop = new AbortController();
  // The first Ctrl-C ends the drill in order and records it; the second one ends everything.
  const onSignal = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  const drillDeps: DrillDeps = {
    system,
    terminal: cli.terminal,
    texts,
    now: cli.now,
    sleep: cli.sleep,
    say: (line) => (options.json ? cli.terminal.err : cli.terminal.out)(`${line}\n`),
    signal: stop.signal,
    random: () => randomBytes(4).toString('hex'),
  };
  try {
    await runDrill(drill, { ...options, by: by.slice(0, 80) }, drillDeps);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, onSignal);
  }
}

function systemOf(config: CliConfig, options: Options): DrillSystem {
  return {
    ingests: config.ingests,
    dispatchers: config.dispatchers,
    edges: config.edges,
    canaries: config.canaries,
    internalToken: config.internalToken(),
    alertmanager: options.alertmanager ?? config.drills.alertmanager,
    control: config.drills.control,
    restartCommand: config.drills.restartCommand,
    drillKey: config.drills.key,
    drillSender: config.drills.sender,
  };
}

function oneOf<Name extends string>(
  names: readonly Name[],
  given: string,
  option: string,
  texts: Texts,
): Name {
  const found = names.find((name) => name === given);
  if (found !== undefined) return found;
  throw new CliError(EXIT.usage, [texts.badOption(option, names.join(', '))]);
}
