import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const SOURCE = new URL('aes-gcm.as', import.meta.url);
const MODULE = new URL('aes-gcm-module.ts', import.meta.url);
const OPTIONS = [
  '-O3',
  '--converge',
  '--noAssert',
  ...['--runtime', 'stub'],
  ...['--initialMemory', '1', '--maximumMemory', '1'],
  ...['--enable', 'simd', '--enable', 'relaxed-simd'],
];

/** What is used of the package `assemblyscript`. It is needed to change the module, not to run or test the rest. */
interface Compiler {
  main(
    args: readonly string[],
    files: {
      readFile(name: string): string | null;
      writeFile(name: string, content: Uint8Array | string): void;
      listFiles(): string[];
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>;
}

/** SHA-256 of the source, hex: the module in use says from which source it was made. */
export function sourceHash(): string {
  return createHash('sha256').update(readFileSync(SOURCE)).digest('hex');
}

/** Undefined where the compiler is not installed. */
export async function loadCompiler(): Promise<Compiler | undefined> {
  const name: string = 'assemblyscript/asc';
  try {
    const loaded: { default: Compiler } = await import(name);
    return loaded.default;
  } catch {
    return undefined;
  }
}

/** Compiles aes-gcm.as. Throws with the compiler's own words. */
export async function compileModule(compiler: Compiler): Promise<Uint8Array> {
  const source = readFileSync(SOURCE, 'utf8');
  let module: Uint8Array | undefined;
  const { error, stderr } = await compiler.main(['aes-gcm.ts', '-o', 'module.wasm', ...OPTIONS], {
    readFile: (name) => (name === 'aes-gcm.ts' ? source : null),
    writeFile: (_name, content) => {
      if (typeof content !== 'string') module = content;
    },
    listFiles: () => [],
  });
  if (error || !module) throw new Error(`aes-gcm.as: ${stderr.toString()}`, { cause: error });
  return module;
}

if (import.meta.main) {
  const compiler = await loadCompiler();
  if (!compiler) throw new Error('install the development dependency "assemblyscript" first');
  const module = Buffer.from(await compileModule(compiler)).toString('base64');
  writeFileSync(
    MODULE,
    `/** Made from aes-gcm.as by build-module.ts. */
export const AES_GCM_SOURCE_SHA256 =
  '${sourceHash()}';

/** The compiled module, base64. */
export const AES_GCM_MODULE =
  '${module}';
`,
  );
}
