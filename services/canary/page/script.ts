import { formatAge } from './ages.ts';

/**
 * What the page does when script is on: ages go on counting, a cell whose proof grows too old turns bad by itself, and
 * the content is fetched anew every five seconds. When the canary no longer answers, the page says so in red and takes
 * its headline back: a page that stands still must not look like good news. Its age is the time since it was fetched by
 * the clock that went further, so that a laptop that slept has not stopped it; a copy that was old when it was opened
 * (kept by a browser, saved to a file) is old at once. A screen reader hears of a change in what the page says, never of
 * ages. Without script the page reloads itself.
 *
 * Plain JavaScript for the browser; `format` is the same function that the server rendered with.
 */
export const SCRIPT = `(function () {
  'use strict';
  const format = ${formatAge.toString()};
  const refreshMs = 5000;
  const staleMs = 12000;
  const oldCopyMs = 60000;
  let renderedAt = performance.now();
  let renderedWall = Date.now();
  const writtenMs = Date.now() - Number(document.body.dataset.written);
  let bornOldMs = writtenMs > oldCopyMs ? writtenMs : 0;
  const passedMs = () =>
    Math.max(performance.now() - renderedAt, Date.now() - renderedWall) + bornOldMs;
  const grow = (cell, ageMs) => {
    const limits = cell.dataset;
    if (limits.provedMs === undefined || cell.classList.contains('not-measured')) return;
    if (ageMs <= Number(limits.provedMs)) return;
    const state = ageMs <= Number(limits.lateMs) ? 'late' : 'unproved';
    if (cell.classList.contains(state)) return;
    cell.classList.remove('proved', 'late');
    cell.classList.add(state);
    const word = cell.querySelector('.word');
    const legend = document.querySelector('.legend [data-state="' + state + '"]');
    if (word && legend) word.innerHTML = legend.innerHTML;
  };
  const knowNothing = () => {
    const verdict = document.querySelector('.verdict');
    const heading = verdict.querySelector('h1');
    const unknown = document.querySelector('main').dataset.unknown;
    if (verdict.classList.contains('none') || heading.textContent === unknown) return;
    heading.textContent = unknown;
    verdict.classList.remove('all', 'some');
    verdict.classList.add('none');
  };
  const tick = () => {
    const passed = passedMs();
    for (const element of document.querySelectorAll('[data-age]')) {
      const ageMs = Number(element.dataset.age) + passed;
      element.textContent = format(ageMs);
      const cell = element.closest('.cell');
      if (cell) grow(cell, ageMs);
    }
    const stale = document.querySelector('.stale');
    const isStale = passed >= staleMs;
    if (stale.hidden === isStale) stale.hidden = !isStale;
    if (!isStale) return;
    stale.querySelector('span').textContent = format(passed);
    document.title = stale.textContent;
    knowNothing();
  };
  const exchange = (fresh) => {
    const focused = document.activeElement?.getAttribute('href');
    const open = [...document.querySelectorAll('details[open]')].map(({ id }) => id);
    const summaryOf = document.activeElement?.closest('summary')?.parentElement.id;
    for (const part of ['header', 'main'])
      document.querySelector(part).replaceWith(fresh.querySelector(part));
    for (const id of open) document.getElementById(id)?.setAttribute('open', '');
    // Who walks by keyboard stays on what was just exchanged for a fresh copy.
    if (document.activeElement !== document.body) return;
    if (focused)
      [...document.links].find((link) => link.getAttribute('href') === focused)?.focus({ preventScroll: true });
    if (summaryOf) document.querySelector('#' + summaryOf + ' > summary')?.focus({ preventScroll: true });
  };
  const tell = (before) => {
    const now = document.querySelector('main').dataset.news;
    if (now !== before) document.getElementById('news').textContent = now;
  };
  const refresh = async () => {
    try {
      const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(refreshMs) });
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      const before = document.querySelector('main').dataset.news;
      exchange(fresh);
      document.title = fresh.title;
      renderedAt = performance.now();
      renderedWall = Date.now();
      bornOldMs = 0;
      tick();
      tell(before);
    } catch {
      // The line that says so appears by itself.
    }
  };
  tick();
  setInterval(tick, 1000);
  setInterval(refresh, refreshMs);
  addEventListener('pageshow', refresh);
})();`;
