import type { PathState } from '../judge.ts';
import { type Html, ownMarkup } from './html.ts';

const svg = (drawing: string): Html =>
  ownMarkup(`<svg viewBox="0 0 16 16" aria-hidden="true">${drawing}</svg>`);

/** One shape for each state, for eyes that do not tell the colours: tick, triangle, cross, question mark. */
export const SHAPES: Readonly<Record<PathState, Html>> = {
  proved: svg('<path d="M2.5 8.5l3.5 4 7.5-9"/>'),
  late: svg('<path d="M8 2.2l6 11.2H2zM8 6.8v3"/>'),
  unproved: svg('<path d="M3 3l10 10M13 3L3 13"/>'),
  'not-measured': svg('<path d="M5 5.6a3 3 0 1 1 4.4 2.6c-1 .6-1.4 1.1-1.4 2M8 13.4v.1"/>'),
};
