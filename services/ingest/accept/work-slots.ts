import type { Alert } from '../../../shared/alert/alert.ts';

/** Alerts that may be in work at a time; what comes above is told to come back, quickly. */
export const MAX_IN_WORK = 32;
/** Tests may take half: canaries never keep a prefecture out. */
export const MAX_TESTS_IN_WORK = MAX_IN_WORK / 2;
/** Beyond MAX_IN_WORK, for Cancel alone: stopping a wrong alert is never shed. */
export const CANCEL_RESERVE = 4;

export interface WorkSlots {
  /** A function that gives the slot back, or undefined when there is none. */
  enter(alert: Pick<Alert, 'status' | 'msgType'>): (() => void) | undefined;
  readonly inWork: number;
}

/** Counts alerts in work. */
export function createWorkSlots(): WorkSlots {
  let inWork = 0;
  let tests = 0;
  return {
    get inWork() {
      return inWork;
    },
    enter({ status, msgType }) {
      const isTest = status === 'Test';
      const limit = msgType === 'Cancel' && !isTest ? MAX_IN_WORK + CANCEL_RESERVE : MAX_IN_WORK;
      if (inWork >= limit || (isTest && tests >= MAX_TESTS_IN_WORK)) return undefined;
      inWork += 1;
      if (isTest) tests += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        inWork -= 1;
        if (isTest) tests -= 1;
      };
    },
  };
}
