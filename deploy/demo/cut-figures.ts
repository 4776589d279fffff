import type { CrowdReport } from './crowd.ts';
import { broken, type DemoFigures, lines, table } from './figures.ts';

/** What one site's dispatcher says of an alert: what its journal holds and what it sent itself. */
export interface SiteDeed {
  readonly site: string;
  readonly state: string;
  /** Lanes by which it came there from ingest; none when only a peer had it. */
  readonly lanes: readonly string[];
  /** Sends of this node that a provider accepted. */
  readonly accepted: number;
}

/** What the demonstration found out; written to reports/sites.json. */
export interface CutFigures extends DemoFigures {
  readonly cutSite: string;
  readonly cancelId: string;
  readonly cutForMs: number;
  /** From healing until the cut site's journal had both, and it had nothing left to do. Null: not in time. */
  readonly caughtUpAfterMs: number | null;
  readonly alertBySite: readonly SiteDeed[];
  readonly cancelBySite: readonly SiteDeed[];
  /**
   * Copies of the alert that reached devices after healing: what the cut site had under way, and tried again until it
   * heard of the Cancel. A node that can ask nobody cannot know better; the devices do.
   */
  readonly lateCopies: number;
  /** Devices that showed the alert, or showed it again, after healing. */
  readonly shownLate: number;
  /** Copies of the Cancel that reached a device after healing: repeats, since all had it. */
  readonly lateCancelCopies: number;
}

/** The devices' reports before healing and once all is quiet again. */
export interface AroundHealing {
  readonly alertBefore: CrowdReport;
  readonly alertAfter: CrowdReport;
  readonly cancelBefore: CrowdReport;
  readonly cancelAfter: CrowdReport;
}

/** Pure: figures of the undisturbed part, and what came after healing. */
export function cutFigures(
  figures: DemoFigures,
  facts: Omit<CutFigures, keyof DemoFigures | 'lateCopies' | 'shownLate' | 'lateCancelCopies'>,
  around: AroundHealing,
): CutFigures {
  const { alertBefore, alertAfter, cancelBefore, cancelAfter } = around;
  const copies = ({ inside, outside }: CrowdReport) =>
    inside.received + inside.repeats + outside.received + outside.repeats;
  const shown = ({ inside, outside }: CrowdReport) =>
    inside.shown + inside.shownTwice + outside.shown + outside.shownTwice;
  return {
    ...figures,
    ...facts,
    shownTwice: alertAfter.inside.shownTwice + alertAfter.outside.shownTwice,
    shownLate: shown(alertAfter) - shown(alertBefore),
    lateCopies: copies(alertAfter) - copies(alertBefore),
    lateCancelCopies: copies(cancelAfter) - copies(cancelBefore),
  };
}

/** The figures as a table for people. */
export function cutTable(figures: CutFigures): string {
  const { cutSite, caughtUpAfterMs } = figures;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const deeds = (what: string, all: readonly SiteDeed[]) =>
    all.map(({ site, state, lanes, accepted }): [string, string] => {
      const way = lanes.length > 0 ? `came by ${lanes.join(' and ')}` : 'came from a peer';
      return [
        `  ${what} in site ${site}${site === cutSite ? ' (was cut off)' : ''}`,
        `${state}; ${way}; ${accepted} sent`,
      ];
    });
  const rows: [string, string][] = [
    [`site ${cutSite} was cut off for`, seconds(figures.cutForMs)],
    [
      'after healing it had caught up within',
      caughtUpAfterMs === null ? 'not in time' : seconds(caughtUpAfterMs),
    ],
    ...deeds('alert', figures.alertBySite),
    ...deeds('cancel', figures.cancelBySite),
    ['shown after healing (must be 0)', String(figures.shownLate)],
    ['copies of the alert under way at the cut, or until it knew', String(figures.lateCopies)],
    ['copies of the cancel after healing', String(figures.lateCancelCopies)],
  ];
  const words = { site: `site ${cutSite}`, done: 'cut off', ended: 'cut off' };
  return `${table(figures, words)}\n\n${lines(rows)}`;
}

/** What is wrong with the figures; empty when the promises were kept. */
export function brokenByCut(figures: CutFigures): string[] {
  const checks: [boolean, string][] = [
    [
      figures.caughtUpAfterMs !== null,
      `site ${figures.cutSite} did not catch up with the alert and its cancel`,
    ],
    [
      figures.shownLate === 0,
      `P3: ${figures.shownLate} devices showed the cancelled alert after healing`,
    ],
  ];
  return [...broken(figures), ...checks.flatMap(([kept, message]) => (kept ? [] : [message]))];
}
