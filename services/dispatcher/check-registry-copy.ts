import { checkCopy } from './check-copy.ts';

/** A program: `node services/dispatcher/check-registry-copy.ts FILE` prints what it finds in a copy of the registry, as JSON. */
const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('which file?\n');
  process.exit(2);
}
process.stdout.write(`${JSON.stringify(checkCopy(path, Math.random))}\n`);
