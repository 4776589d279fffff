import { departmentOf, reachOf } from '../../shared/alert/area.ts';
import { TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';
import type { CrowdDeviceRecord } from './crowd-setup.ts';
import type { CrowdTally } from './crowd-tally.ts';

/** What one alert did on a group of devices. Instants are milliseconds since 1970, null when nothing came. */
interface CrowdCounts {
  readonly devices: number;
  /** Messages of any alert that the provider accepted for them since the sandbox started. */
  readonly acceptedMessages: number;
  /** Devices that decrypted and verified it. */
  readonly received: number;
  /** Devices that showed it. */
  readonly shown: number;
  /** Devices that showed it more than once: must be 0 (P4). */
  readonly shownTwice: number;
  /** Devices that showed it and took it down again. */
  readonly takenDown: number;
  /** Verified copies that were refused (expired, wrong audience). */
  readonly refused: number;
  /** Copies beyond the first that came over the wire. */
  readonly repeats: number;
  /** First copy on the first device, on half of those that received it, on 99 %, on the last. */
  readonly firstMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly lastMs: number | null;
  /** Devices by the node whose copy came first. */
  readonly byNode: Readonly<Record<string, number>>;
}

export interface CrowdReport {
  readonly name: string;
  readonly alert: string;
  readonly total: CrowdCounts;
  readonly perTransport: Readonly<Record<TransportKind, CrowdCounts>>;
  readonly areas: readonly {
    readonly code: string;
    readonly total: CrowdCounts;
    readonly perTransport: Readonly<Record<TransportKind, CrowdCounts>>;
  }[];
  /** Only when the request names the alert's areas: who should have got it, and who should not. */
  readonly inside?: CrowdCounts;
  readonly outside?: CrowdCounts;
  /** Messages that no device could read, of any alert. */
  readonly unread: Readonly<CrowdTally['unread']>;
}

type Placed = readonly [position: number, device: CrowdDeviceRecord];

/** The report of one alert on one crowd; `areaCodes` are the alert's (communes or departments), if they are known. */
export function crowdReport(
  name: string,
  devices: readonly CrowdDeviceRecord[],
  tally: CrowdTally,
  alert: string,
  areaCodes: readonly string[],
): CrowdReport {
  const all: Placed[] = [...devices.entries()];
  const count = (placed: readonly Placed[]) => countsOf(placed, tally, alert);
  const perTransport = (placed: readonly Placed[]) => {
    const of = (kind: TransportKind) => count(placed.filter(([, each]) => each.transport === kind));
    return Object.fromEntries(TRANSPORTS.map((kind) => [kind, of(kind)])) as Record<
      TransportKind,
      CrowdCounts
    >;
  };
  const codes = [...new Set(devices.map(({ areaCode }) => areaCode))];
  const areas = codes.map((code) => {
    const placed = all.filter(([, { areaCode }]) => areaCode === code);
    return { code, total: count(placed), perTransport: perTransport(placed) };
  });
  const reach = reachOf(areaCodes);
  const isInside = ([, { areaCode }]: Placed) =>
    reach.codes.includes(areaCode) || reach.departments.includes(departmentOf(areaCode));
  const split =
    areaCodes.length === 0
      ? {}
      : {
          inside: count(all.filter(isInside)),
          outside: count(all.filter((each) => !isInside(each))),
        };
  const unread = { ...tally.unread };
  return {
    name,
    alert,
    total: count(all),
    perTransport: perTransport(all),
    areas,
    ...split,
    unread,
  };
}

function countsOf(placed: readonly Placed[], tally: CrowdTally, alert: string): CrowdCounts {
  const onDevices = tally.alert(alert);
  const entries = placed.flatMap(([position]) => onDevices.get(position) ?? []);
  const received = entries.filter(({ copies }) => copies > 0);
  const instants = received.map(({ firstMs }) => firstMs).sort((a, b) => a - b);
  const at = (share: number) => instants[Math.floor(share * (instants.length - 1))] ?? null;
  const byNode: Record<string, number> = {};
  for (const { firstNode } of received) byNode[firstNode] = (byNode[firstNode] ?? 0) + 1;
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
  return {
    devices: placed.length,
    acceptedMessages: sum(placed.map(([position]) => tally.accepted.get(position) ?? 0)),
    received: received.length,
    shown: received.filter(({ shown }) => shown > 0).length,
    shownTwice: received.filter(({ shown }) => shown > 1).length,
    takenDown: received.filter(({ takenDown }) => takenDown).length,
    refused: sum(entries.map(({ refused }) => refused)),
    repeats: sum(received.map(({ copies }) => copies - 1)),
    firstMs: at(0),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    lastMs: at(1),
    byNode,
  };
}
