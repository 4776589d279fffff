import type { Logger } from '../../../shared/log/logger.ts';
import type { PathState } from '../judge.ts';

/** What happens to receivers, each with its log line. No code, key or address is in one. */
export interface ReceiverEvents {
  readonly stateChanged: (probe: string, from: PathState, to: PathState) => void;
  readonly codeMade: () => void;
  readonly codeRefused: (reason: 'wrong' | 'too-many') => void;
  readonly enrolled: (probe: string, label: string) => void;
  readonly moved: (probe: string) => void;
  readonly removed: (probe: string) => void;
}

export function createReceiverEvents(log: Logger): ReceiverEvents {
  return {
    stateChanged: (probe, from, to) => {
      const level = to === 'proved' ? 'info' : to === 'late' ? 'warn' : 'error';
      log[level]({ probe, from, to }, 'receiver changed its state');
    },
    codeMade: () => log.info('a code for a new probe page was made'),
    codeRefused: (reason) => log.warn({ reason }, 'a probe page came with a code that is not good'),
    enrolled: (probe, label) => log.info({ probe, label }, 'a probe page is on the list'),
    moved: (probe) => log.info({ probe }, 'a probe page has a new push address'),
    removed: (probe) => log.info({ probe }, 'a probe page was taken off the list'),
  };
}
