import type { PathState } from '../judge.ts';
import { type Html, ownMarkup } from './html.ts';

const svg = (drawing: string): Html =>
  ownMarkup(`<svg class="shape" viewBox="0 0 16 16" aria-hidden="true">${drawing}</svg>`);

/**
 * One shape for each state, for eyes that do not tell the colours: something that was received (an arrow into a tray), a
 * triangle, a cross, a question mark. None of them says "all is well".
 */
export const SHAPES: Readonly<Record<PathState, Html>> = {
  proved: svg('<path d="M8 1.8v7.4M4.8 6L8 9.2 11.2 6M2.4 10.6v3.2h11.2v-3.2"/>'),
  late: svg('<path d="M8 2.2l6 11.2H2zM8 6.8v3"/>'),
  unproved: svg('<path d="M3 3l10 10M13 3L3 13"/>'),
  'not-measured': svg('<path d="M5 5.6a3 3 0 1 1 4.4 2.6c-1 .6-1.4 1.1-1.4 2M8 13.4v.1"/>'),
};
