import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readJsonFile, readTextFile } from '../../shared/config/read-file.ts';

const Node = z.looseObject({ name: z.string(), site: z.string().optional(), url: z.url() });

/** The file that says where everything answers and which files hold the keys. `make run` writes one. */
const CliFile = z.looseObject({
  ingests: z.array(Node).min(1),
  dispatchers: z.array(Node).default([]),
  edges: z.array(Node).default([]),
  canaries: z.array(Node).default([]),
  keyFile: z.string().optional(),
  internalTokenFile: z.string().optional(),
  trustedKeysFile: z.string().optional(),
  /** For `tocsin drill` alone. */
  control: z.url().optional(),
  restartCommand: z.array(z.string().min(1)).min(1).optional(),
  alertmanager: z.url().optional(),
  drillKeyFile: z.string().optional(),
  drillSender: z.string().default('drill@alerte.example'),
});

export type ServiceNode = z.infer<typeof Node>;

/** What drills need besides. */
export interface DrillConfig {
  readonly control: string | undefined;
  readonly restartCommand: readonly string[] | undefined;
  readonly alertmanager: string | undefined;
  readonly sender: string;
  /** Of a key that may send Test alone. Throws ConfigError. */
  readonly key: () => string;
}

export interface CliConfig {
  readonly ingests: readonly ServiceNode[];
  readonly dispatchers: readonly ServiceNode[];
  readonly edges: readonly ServiceNode[];
  readonly canaries: readonly ServiceNode[];
  readonly drills: DrillConfig;
  /** Folder of the configuration file: keys are written beside it unless told otherwise. */
  readonly folder: string;
  readonly trustedKeysFile: string | undefined;
  /** Read when it is needed: making keys needs no key. Throws ConfigError. */
  readonly apiKey: () => string;
  readonly internalToken: () => string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** `--config`, or TOCSIN_CONFIG, or what `make run` writes. */
export function configPath(option: string | undefined, env: Env): string {
  return option ?? env['TOCSIN_CONFIG'] ?? '.tocsin/cli.json';
}

/** Reads the configuration file. Paths in it are relative to the working folder, as the launcher writes them. Throws ConfigError. */
export function loadConfig(option: string | undefined, env: Env): CliConfig {
  const path = configPath(option, env);
  const file = readJsonFile(path, CliFile, '--config / TOCSIN_CONFIG');
  const keyFile = env['TOCSIN_API_KEY_FILE'] ?? file.keyFile;
  return {
    ingests: file.ingests,
    dispatchers: file.dispatchers,
    edges: file.edges,
    canaries: file.canaries,
    drills: {
      control: file.control,
      restartCommand: file.restartCommand,
      alertmanager: file.alertmanager,
      sender: file.drillSender,
      key: () => readTextFile(file.drillKeyFile ?? '', 'drillKeyFile'),
    },
    folder: dirname(resolve(path)),
    trustedKeysFile: file.trustedKeysFile,
    apiKey: () => readTextFile(keyFile ?? '', 'keyFile / TOCSIN_API_KEY_FILE'),
    internalToken: () => readTextFile(file.internalTokenFile ?? '', 'internalTokenFile'),
  };
}
