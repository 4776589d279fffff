import { filesOf, layoutOf } from './layout.ts';
import { findNatsServer, NatsServerError } from './nats-server.ts';
import { readOptions } from './options.ts';
import { makeStateDir } from './state-file.ts';

// `make test` calls this before the first test, so that no test has to download anything.
const { stateDir } = layoutOf(readOptions(process.env));
makeStateDir(stateDir);
try {
  const server = await findNatsServer({
    env: process.env,
    binDir: filesOf(stateDir).binDir,
    stateDir,
    say: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`nats-server ${server.version} (${server.path})\n`);
} catch (error) {
  if (!(error instanceof NatsServerError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exit(1);
}
