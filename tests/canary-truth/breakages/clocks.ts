import { faketimeLibrary } from '../../failover/harness/play-row.ts';
import { type Breakage, page, through } from '../breakage.ts';

/** The process is started again with a clock that is off; its monotonic clock is right, as on a machine. */
const clock = (
  process: string,
  offset: '+2h' | '-2h',
  breakage: Pick<Breakage, 'name' | 'title' | 'breaks' | 'blind' | 'expected'>,
): Breakage => ({
  ...breakage,
  group: 'clock',
  needs: 'faketime',
  begin: (system) =>
    system.restart(process, {
      LD_PRELOAD: faketimeLibrary() ?? '',
      FAKETIME: offset,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    }),
  heal: (system) => system.restart(process, { LD_PRELOAD: '', FAKETIME: '' }),
});

const ofA: Breakage['breaks'] = (_path, canary) => canary === 'a';

export const WRONG_CLOCKS: readonly Breakage[] = [
  clock('canary-a', '+2h', {
    name: 'clock-canary-ahead',
    title: 'clock of canary a two hours ahead',
    breaks: ofA,
    blind: ['a'],
    expected: page('CanarySilent'),
  }),
  clock('canary-a', '-2h', {
    name: 'clock-canary-behind',
    title: 'clock of canary a two hours behind',
    breaks: ofA,
    blind: ['a'],
    expected: page('CanarySilent'),
  }),
  clock('dispatcher-b', '+2h', {
    name: 'clock-dispatcher-ahead',
    title: 'clock of dispatcher b two hours ahead',
    breaks: through({ dispatcher: 'b' }),
    expected: page('DispatcherUnproved'),
  }),
];
