import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { registrySubject } from '../../../shared/bus/subjects.ts';
import { RegistryRecord } from '../../../shared/subscription/registry-record.ts';

/** How long one site may take to tell a device's last state. */
const READ_TIMEOUT_MS = 1_500;

export interface LastKnown {
  /** Sites that answered. With none, nothing is known and nothing may be changed. */
  readonly sitesRead: number;
  readonly record: RegistryRecord | undefined;
}

/** The newest state of a device over all sites' streams: their union is the truth. Never rejects. */
export async function readLastRecord(
  buses: readonly SiteBus[],
  deviceId: string,
): Promise<LastKnown> {
  const answers = await Promise.allSettled(buses.map((bus) => readFromSite(bus, deviceId)));
  const read = answers.filter((each) => each.status === 'fulfilled').map((each) => each.value);
  let newest: RegistryRecord | undefined;
  for (const record of read)
    if (record && (!newest || record.version > newest.version)) newest = record;
  return { sitesRead: read.length, record: newest };
}

/**
 * A device's last state at one site, undefined when it has none. Rejects when the site cannot be asked. In a site with
 * several replicas any of them answers, so a state that was written this very moment may be missing.
 */
export async function readFromSite(
  bus: SiteBus,
  deviceId: string,
): Promise<RegistryRecord | undefined> {
  const handles = bus.jetStream;
  if (!handles) throw new Error(`site ${bus.site} is not connected`);
  const found = await withDeadline(
    handles.manager.direct.getMessage('REGISTRY', { last_by_subj: registrySubject(deviceId) }),
  );
  if (found === null) return undefined;
  // A record that we do not understand is replaced by the next write, not obeyed.
  return RegistryRecord.safeParse(parseJson(found.string())).data;
}

async function withDeadline<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), READ_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
