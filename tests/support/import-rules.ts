/** One import as it is written in a source. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

export interface Violation {
  readonly file: string;
  readonly message: string;
}

const STATIC = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*${},\s]+?\s+from\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Every import of a source: static, `export … from`, dynamic, and `import type`. */
export function importsOf(source: string): Import[] {
  const code = source.replaceAll(COMMENT, '');
  return [
    ...[...code.matchAll(STATIC)].map((match) => ({
      specifier: match[2] ?? '',
      typeOnly: match[1] !== undefined,
    })),
    ...[...code.matchAll(DYNAMIC)].map((match) => ({ specifier: match[1] ?? '', typeOnly: false })),
  ];
}

/** Where each SDK may be imported. Everything else gets at it through that place's own words. */
const HOMES: readonly { readonly sdk: RegExp; readonly homes: RegExp }[] = [
  { sdk: /^firebase-admin(\/|$)/, homes: /^services\/dispatcher\/transports\/|^tests\// },
  {
    sdk: /^web-push$/,
    homes:
      /^services\/dispatcher\/transports\/|^deploy\/local\/|^services\/cli\/|^tests\/|\.test\.ts$|\/test-support\//,
  },
  {
    sdk: /^@nats-io\//,
    homes: /^shared\/bus\/|^services\/canary\/publish|^tests\/|^deploy\/.*\.test\.ts$/,
  },
  { sdk: /^express$/, homes: /^shared\/http\/|^services\/|^deploy\/(?:local|monitoring)\// },
  {
    sdk: /^prom-client$/,
    homes: /[/-]metrics\.ts$|^shared\/metrics\/|^shared\/http\/|\.test\.ts$|^tests\//,
  },
  {
    sdk: /^jose$/,
    homes:
      /^shared\/envelope\/|^services\/dispatcher\/transports\/|^services\/sandbox\/|^tests\/|\.test\.ts$|\/test-support\//,
  },
  {
    sdk: /^ws$/,
    homes:
      /^services\/sandbox\/|^shared\/autopush\/|^services\/canary\/|^tests\/|\.test\.ts$|\/test-support\//,
  },
  { sdk: /^commander$/, homes: /^services\/cli\// },
  { sdk: /^esbuild$/, homes: /^shared\/web\// },
  { sdk: /^pino$/, homes: /^shared\/log\/|^tests\/|\.test\.ts$/ },
  { sdk: /^node:sqlite$/, homes: /^services\/|^tests\// },
];

/**
 * Files that decide and do nothing else: the same answer for the same question, whenever and wherever asked. A hash is
 * such an answer, so node:crypto is let in; reviews look for its random half.
 */
const PURE =
  /\/transports\/.*(?:-outcome|-message|-request)\.ts$|\/(?:decide|judge|ring)\.ts$|^shared\/alert\/(?!.*\.test\.ts$)/;

const FORBIDDEN_FOLDERS = /(?:^|\/)(utils|helpers|common|lib|core|types)\//;

/** Everything that is wrong with one file's place and imports. `file` is relative to the repository. Pure. */
export function violationsOf(file: string, source: string): Violation[] {
  const messages = [
    ...placeProblems(file),
    ...importsOf(source).flatMap((each) => importProblems(file, each)),
  ];
  return messages.map((message) => ({ file, message }));
}

function placeProblems(file: string): string[] {
  const folder = FORBIDDEN_FOLDERS.exec(file)?.[1];
  return [
    ...(folder === undefined
      ? []
      : [`a folder named ${folder} says nothing: name it after what is in it`]),
    ...(/(^|\/)index\.ts$/.test(file)
      ? ['no barrels: import the file that has what you need']
      : []),
  ];
}

function importProblems(file: string, { specifier, typeOnly }: Import): string[] {
  const isPackage = !specifier.startsWith('.') && !specifier.startsWith('#shared/');
  const target = isPackage ? undefined : resolve(file, specifier);
  return [
    ...(target === undefined
      ? packageProblems(file, specifier, typeOnly)
      : placeOfTarget(file, target)),
    ...(PURE.test(file) ? pureProblems(file, specifier, target, typeOnly) : []),
    ...(/^services\/[^/]+\/main\.ts$/.test(file) ? mainProblems(specifier, target) : []),
  ];
}

function packageProblems(file: string, specifier: string, typeOnly: boolean): string[] {
  // A registry of metrics is handed from the composition root to whoever measures; its type comes with it.
  if (specifier === 'prom-client' && typeOnly) return [];
  const home = HOMES.find(({ sdk }) => sdk.test(specifier));
  return home && !home.homes.test(file) ? [`${specifier} is not at home here`] : [];
}

function placeOfTarget(file: string, target: string): string[] {
  const [fromTop, fromName] = file.split('/');
  const [toTop, toName] = target.split('/');
  const isTest = fromTop === 'tests' || /\.test\.ts$|\/test-support\//.test(file);
  const problems: string[] = [];
  if (toTop === 'tests' && !isTest) problems.push(`imports tests: ${target}`);
  if (toTop === 'services' && fromTop === 'services' && fromName !== toName)
    problems.push(`services never import each other: ${target}`);
  if (toTop === 'services' && (fromTop === 'shared' || fromTop === 'deploy') && !isTest)
    problems.push(`${fromTop} does not import services: ${target}`);
  if (toTop === 'deploy' && (fromTop === 'shared' || fromTop === 'services') && !isTest)
    problems.push(`${fromTop} does not import deploy: ${target}`);
  return problems;
}

function pureProblems(
  file: string,
  specifier: string,
  target: string | undefined,
  typeOnly: boolean,
): string[] {
  if (file.startsWith('shared/alert/'))
    return specifier === 'zod' || target?.startsWith('shared/alert/')
      ? []
      : [`shared/alert imports zod and itself only: ${specifier}`];
  if (typeOnly) return [];
  if (target === undefined)
    return specifier === 'zod' || specifier === 'node:crypto'
      ? []
      : [`a pure file imports no package but zod: ${specifier}`];
  return /^shared\/(time|log|metrics|bus|http|lifecycle)\//.test(target)
    ? [`a pure file needs no clock, logger or connection: ${specifier}`]
    : [];
}

function mainProblems(specifier: string, target: string | undefined): string[] {
  const allowed =
    target !== undefined &&
    /\/config\.ts$|\/start-[\w-]+\.ts$|^shared\/(lifecycle|config|log)\//.test(target);
  return allowed ? [] : [`main.ts only reads, starts and waits: ${specifier}`];
}

/** The repository path that a relative specifier means. */
function resolve(file: string, specifier: string): string {
  if (specifier.startsWith('#shared/')) return `shared/${specifier.slice('#shared/'.length)}`;
  const parts = file.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
