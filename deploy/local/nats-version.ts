/** The oldest nats-server that syncs every write when told so (`sync_interval: always`) and that we test against. */
const OLDEST_NATS = [2, 12, 0] as const;

export type Version = readonly [major: number, minor: number, patch: number];

/** The version in what `nats-server --version` prints (`nats-server: v2.15.1`), undefined when there is none. */
export function parseNatsVersion(text: string): Version | undefined {
  const match = /\bv?(\d{1,4})\.(\d{1,4})\.(\d{1,4})\b/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Negative when `a` is older than `b`, zero when they are the same. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function formatVersion(version: Version): string {
  return version.join('.');
}

/** Why a server of this version is refused, in words for the person who gave it; undefined when it is fit. */
export function versionProblem(path: string, version: Version): string | undefined {
  if (compareVersions(version, OLDEST_NATS) >= 0) return undefined;
  return (
    `${path} is nats-server ${formatVersion(version)}, which does not know JetStream's sync_interval as we need it: ` +
    `an alert that it confirms can be lost in a power cut; ${formatVersion(OLDEST_NATS)} or later is needed`
  );
}
