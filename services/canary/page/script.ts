import { formatAge } from './ages.ts';

/**
 * What the page does when script is on: ages go on counting, a cell whose proof grows too old turns bad by itself, and
 * the content is fetched anew every five seconds. When the canary no longer answers, the page says so in red: a page
 * that stands still must not look like good news. Without script the page reloads itself.
 *
 * Plain JavaScript for the browser; `format` is the same function that the server rendered with.
 */
export const SCRIPT = `(function () {
  'use strict';
  const format = ${formatAge.toString()};
  const refreshMs = 5000;
  const staleMs = 12000;
  let renderedAt = performance.now();
  const grow = (cell, ageMs) => {
    const limits = cell.dataset;
    if (cell.classList.contains('not-measured') || ageMs <= Number(limits.provedMs)) return;
    const state = ageMs <= Number(limits.lateMs) ? 'late' : 'unproved';
    if (cell.classList.contains(state)) return;
    cell.classList.remove('proved', 'late');
    cell.classList.add(state);
    const word = cell.querySelector('.word');
    const legend = document.querySelector('.legend [data-state="' + state + '"]');
    if (word && legend) word.innerHTML = legend.innerHTML;
  };
  const tick = () => {
    const passed = performance.now() - renderedAt;
    for (const element of document.querySelectorAll('[data-age]')) {
      const ageMs = Number(element.dataset.age) + passed;
      element.textContent = format(ageMs);
      const cell = element.closest('.cell');
      if (cell) grow(cell, ageMs);
    }
    const stale = document.querySelector('.stale');
    stale.hidden = passed < staleMs;
    stale.querySelector('span').textContent = format(passed);
  };
  const refresh = async () => {
    try {
      const response = await fetch(location.href, { signal: AbortSignal.timeout(refreshMs) });
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      const focused = document.activeElement?.getAttribute('href');
      for (const part of ['header', 'main'])
        document.querySelector(part).replaceWith(fresh.querySelector(part));
      // Who walks by keyboard stays on the link that was just exchanged for a fresh copy.
      if (focused && document.activeElement === document.body)
        [...document.links].find((link) => link.getAttribute('href') === focused)?.focus({ preventScroll: true });
      document.title = fresh.title;
      renderedAt = performance.now();
    } catch {
      // The line that says so appears by itself.
    }
  };
  setInterval(tick, 1000);
  setInterval(refresh, refreshMs);
})();`;
