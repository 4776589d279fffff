import { formatAge } from '../page/ages.ts';

/**
 * What the public page does when script is on: its ages go on counting, it is fetched anew every half minute, and when
 * it is older than five minutes it takes back what it says. Age is counted from the instant that is written in it, by the
 * reader's clock: whoever serves the file may be serving an old one. A reader's clock that is behind cannot make a page
 * young for ever, for the time since it was opened is counted too.
 */
export const STATUS_SCRIPT = `(function () {
  'use strict';
  const format = ${formatAge.toString()};
  const refreshMs = 30000;
  const openedAt = performance.now();
  let fetchedAt = openedAt;
  const bodyData = () => document.body.dataset;
  const pageAge = () =>
    Math.max(0, Date.now() - Number(bodyData().written), performance.now() - fetchedAt);
  const tick = () => {
    const age = pageAge();
    for (const element of document.querySelectorAll('[data-age]'))
      element.textContent = format(Number(element.dataset.age) + age);
    const stale = document.getElementById('stale');
    const isStale = age > Number(bodyData().staleMs);
    if (stale.hidden === isStale) stale.hidden = !isStale;
    document.body.classList.toggle('old', isStale);
    if (!isStale) return;
    stale.querySelector('span').textContent = format(age);
    document.title = stale.querySelector('strong').textContent;
  };
  const refresh = async () => {
    try {
      const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (Number(fresh.body.dataset.written) <= Number(bodyData().written)) return;
      const open = document.querySelector('details[open]') !== null;
      const said = document.querySelector('h1').textContent;
      document.querySelector('main').replaceWith(fresh.querySelector('main'));
      document.querySelector('footer').replaceWith(fresh.querySelector('footer'));
      if (open) document.querySelector('details')?.setAttribute('open', '');
      bodyData().written = fresh.body.dataset.written;
      document.title = fresh.title;
      fetchedAt = performance.now();
      tick();
      const says = document.querySelector('h1').textContent;
      if (says !== said) document.getElementById('news').textContent = says;
    } catch {
      // The page says by itself when it is old.
    }
  };
  tick();
  setInterval(tick, 1000);
  setInterval(refresh, refreshMs);
})();`;
