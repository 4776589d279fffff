import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from '../../../deploy/demo/until.ts';

/** Prometheus or Alertmanager as it runs, so that it can be killed and started again as it was. */
export interface MonitorProgram {
  readonly pid: () => number;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  readonly startAgain: () => Promise<void>;
  /** Ends it when it was started again; the first life is ended by who began it. */
  readonly close: () => void;
}

/** The child of this process that listens at `url`. */
export function monitorProgram(url: string): MonitorProgram {
  const { host } = new URL(url);
  const { pid, args } = childThatListens(host);
  let second: ChildProcess | undefined;
  const pidNow = () => second?.pid ?? pid;
  const answers = async () => {
    const answer = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  };
  return {
    pid: pidNow,
    kill: async () => {
      process.kill(pidNow(), 'SIGKILL');
      await until(`${host} gone`, { timeoutMs: 5_000, everyMs: 50 }, async () =>
        (await answers()) ? undefined : true,
      );
    },
    startAgain: async () => {
      const [file = '', ...rest] = args;
      second = spawn(file, rest, { stdio: 'ignore' });
      await until(`${host} ready`, { timeoutMs: 60_000, everyMs: 200 }, async () =>
        (await answers()) ? true : undefined,
      );
    },
    close: () => {
      second?.kill('SIGKILL');
    },
  };
}

function childThatListens(host: string): { pid: number; args: string[] } {
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (!args.includes(`--web.listen-address=${host}`)) continue;
      const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
      if (Number(parent) === process.pid) return { pid: Number(name), args };
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no program of ours listens on ${host}`);
}
