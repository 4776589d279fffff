import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ConfigError } from '../../shared/config/parse-env.ts';
import { type Clock, systemClock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { CliError, EXIT } from './cli-error.ts';
import { importDevices } from './commands/devices.ts';
import { listKeys, newApiKey, newSigningKey, newVapidKeys } from './commands/keys.ts';
import {
  cancelMessage,
  type MessageDeps,
  sendMessage,
  showStatus,
  updateMessage,
} from './commands/messages.ts';
import { type PlanOptions, showPlan } from './commands/plan.ts';
import { judgeQuarantine, listQuarantine } from './commands/quarantine.ts';
import { showRoutes } from './commands/routes.ts';
import { configPath, loadConfig } from './config.ts';
import { addDrillCommands } from './drill/add-drill-commands.ts';
import { textsFor } from './language.ts';
import { addProbeCommands } from './probes/add-probe-commands.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import type { Texts } from './texts-fr.ts';
import { tracedNodes } from './trace/ask-services.ts';
import { showTrace } from './trace/show-trace.ts';

export interface CliDeps {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<unknown>;
}

interface Common {
  readonly config?: string;
}

/** Runs one command line (without `node` and the script) and returns the exit code. Tests give their own terminal. */
export async function startCli(
  args: readonly string[],
  deps: CliDeps = { terminal: processTerminal(), env: process.env, now: systemClock, sleep },
): Promise<number> {
  const texts = textsFor(args, deps.env);
  try {
    await createProgram(texts, deps).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) {
      for (const line of error.lines) deps.terminal.err(`${line}\n`);
      return error.exitCode;
    }
    if (error instanceof ConfigError) {
      deps.terminal.err(`${error.message}\n`);
      return EXIT.usage;
    }
    throw error;
  }
}

function createProgram(texts: Texts, deps: CliDeps): Command {
  const { help } = texts;
  const program = new Command('tocsin')
    .description(help.program)
    .exitOverride()
    .configureOutput({ writeOut: deps.terminal.out, writeErr: deps.terminal.err })
    .configureHelp({
      styleTitle: (title) => help.headings[title] ?? title,
      showGlobalOptions: true,
    })
    .helpOption('-h, --help', help.show)
    .helpCommand('help [command]', help.show)
    .option('--config <file>', help.config)
    .option('--lang <fr|en>', help.lang)
    .addHelpText('after', help.after);
  addMessageCommands(program, texts, deps);
  addKeyCommands(program, texts, deps);
  addDeviceCommands(program, texts, deps);
  addQuarantineCommands(program, texts, deps);
  addProbeCommands(program, texts, deps);
  program
    .command('routes')
    .description(help.routes)
    .action((_options, command: Command) => showRoutes(messageDeps(command, texts, deps)));
  addTraceCommand(program, texts, deps);
  addPlanCommand(program, texts, deps);
  addDrillCommands(program, texts, deps);
  return program;
}

function addMessageCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts;
  program
    .command('send <FILE>')
    .description(help.send)
    .option('-f, --follow', help.follow)
    .option('--ingest <name>', help.ingest)
    .option('-y, --yes', help.yes)
    .action((file: string, options, command: Command) =>
      sendMessage(file, options, messageDeps(command, texts, deps)),
    );
  program
    .command('update <ID> <FILE>')
    .description(help.update)
    .option('-f, --follow', help.follow)
    .option('--ingest <name>', help.ingest)
    .option('-y, --yes', help.yes)
    .action((id: string, file: string, options, command: Command) =>
      updateMessage(id, file, options, messageDeps(command, texts, deps)),
    );
  program
    .command('cancel <ID> [FILE]')
    .description(help.cancel)
    .addHelpText('after', help.cancelAfter)
    .option('--reason <text>', help.reason)
    .option('-f, --follow', help.follow)
    .option('--ingest <name>', help.ingest)
    .action((id: string, file: string | undefined, options, command: Command) =>
      cancelMessage(id, file, options, messageDeps(command, texts, deps)),
    );
  program
    .command('status <ID>')
    .description(help.status)
    .option('-f, --follow', help.follow)
    .option('--ingest <name>', help.ingest)
    .action((id: string, options, command: Command) =>
      showStatus(id, options, messageDeps(command, texts, deps)),
    );
}

function addKeyCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts;
  const keyDeps = { terminal: deps.terminal, texts };
  const folderOf = (command: Command) =>
    dirname(resolve(configPath(command.optsWithGlobals<Common>().config, deps.env)));
  const keys = program.command('keys').description(help.keys);
  keys
    .command('new-api')
    .description(help.newApi)
    .requiredOption('--id <name>', help.keyId)
    .requiredOption('--sender <sender>', help.sender)
    .requiredOption('--territory <codes>', help.territory)
    .requiredOption('--statuses <list>', help.statuses)
    .option('--max-severity <severity>', help.maxSeverity, 'Extreme')
    .option('--expires-at <instant>', help.expiresAt)
    .option('--append <file>', help.append)
    .action((options) => newApiKey(options, keyDeps));
  keys
    .command('new-signing')
    .description(help.newSigning)
    .requiredOption('--audience <audience>', help.audience)
    .requiredOption('--kid <name>', help.kid)
    .option('--out <file>', help.out)
    .action((options, command: Command) => newSigningKey(options, folderOf(command), keyDeps));
  keys
    .command('vapid')
    .description(help.vapid)
    .requiredOption('--subject <contact>', help.subject)
    .option('--out <file>', help.out)
    .action((options, command: Command) => newVapidKeys(options, folderOf(command), keyDeps));
  keys
    .command('list')
    .description(help.listKeys)
    .option('--api-keys <file>', help.apiKeysFile)
    .action((options: { apiKeys?: string }, command: Command) => {
      const folder = folderOf(command);
      listKeys(
        {
          apiKeys: options.apiKeys ?? join(folder, 'api-keys.json'),
          trustedKeys: join(folder, 'trusted-keys.json'),
        },
        keyDeps,
      );
    });
}

function addDeviceCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts;
  const lineNumber = (text: string) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('1, 2, 3…');
    return Number(text);
  };
  program
    .command('devices')
    .description(help.devices)
    .command('import <FILE>')
    .description(help.importDevices)
    .option('--from-line <n>', help.fromLine, lineNumber, 1)
    .action((file: string, options: { fromLine: number }, command: Command) => {
      const config = loadConfig(command.optsWithGlobals<Common>().config, deps.env);
      return importDevices(file, options.fromLine, {
        edges: config.edges,
        token: config.internalToken(),
        terminal: deps.terminal,
        texts,
        sleep: deps.sleep,
      });
    });
}

function addQuarantineCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts;
  const quarantineDeps = (command: Command) => {
    const config = loadConfig(command.optsWithGlobals<Common>().config, deps.env);
    return {
      dispatchers: config.dispatchers,
      token: config.internalToken(),
      terminal: deps.terminal,
      texts,
      now: deps.now,
    };
  };
  const quarantine = program.command('quarantine').description(help.quarantine);
  quarantine
    .command('list')
    .description(help.listQuarantine)
    .option('--devices', help.quarantineDevices)
    .action((options, command: Command) => listQuarantine(options, quarantineDeps(command)));
  const judging = (action: 'release' | 'drop') =>
    quarantine
      .command(action)
      .description(action === 'drop' ? help.dropQuarantine : help.releaseQuarantine)
      .option('--transport <name>', help.transport)
      .option('--older-than <age>', help.olderThan)
      .action((options, command: Command) =>
        judgeQuarantine(action, options, quarantineDeps(command)),
      );
  judging('release');
  judging('drop').option('-y, --yes', help.yes);
}

function addTraceCommand(program: Command, texts: Texts, deps: CliDeps): void {
  program
    .command('trace <ID>')
    .description(texts.trace.help.trace)
    .option('--json', texts.trace.help.json)
    .action((id: string, options: { json?: boolean }, command: Command) => {
      const config = loadConfig(command.optsWithGlobals<Common>().config, deps.env);
      const { terminal } = deps;
      const token = config.internalToken();
      return showTrace(id, options, { nodes: tracedNodes(config), token, terminal, texts });
    });
}

/** Needs no system and no configuration: it is asked long before any alert. */
function addPlanCommand(program: Command, { help, ...texts }: Texts, deps: CliDeps): void {
  program
    .command('plan')
    .description(help.plan)
    .requiredOption('--audience <n>', help.planAudience)
    .option('--fcm-share <part>', help.planFcmShare)
    .option('--projects <list>', help.planProjects)
    .option('--quota <n>', help.planQuota)
    .option('--ramp <seconds>', help.planRamp)
    .option('--nodes <n>', help.planNodes)
    .option('--node-rate <n>', help.planNodeRate)
    .option('--reply <ms>', help.planReply)
    .option('--json', help.planJson)
    .action((options: PlanOptions) =>
      showPlan(options, { terminal: deps.terminal, texts: { help, ...texts } }),
    );
}

/** Reads the configuration when a command needs it; the ingest that was asked for comes first, the others stay behind it. */
function messageDeps(command: Command, texts: Texts, deps: CliDeps): MessageDeps {
  const options = command.optsWithGlobals<Common & { ingest?: string }>();
  const config = loadConfig(options.config, deps.env);
  const wanted = config.ingests.filter(
    ({ name }) => options.ingest === undefined || name === options.ingest,
  );
  if (wanted.length === 0)
    throw new CliError(EXIT.usage, [
      texts.badOption('--ingest', config.ingests.map(({ name }) => name).join(', ')),
    ]);
  return {
    ingests: [...new Set([...wanted, ...config.ingests])],
    apiKey: config.apiKey(),
    texts,
    terminal: deps.terminal,
    now: deps.now,
    sleep: deps.sleep,
    random: () => randomBytes(3).toString('hex'),
    onPassedOver: (line) => deps.terminal.err(`${line}\n`),
  };
}
