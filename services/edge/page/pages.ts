import type { Clock } from '../../../shared/time/clock.ts';
import { nextExpiryMs, shownAlerts } from '../alerts/alert-state.ts';
import type { RecentAlerts } from '../alerts/recent-alerts.ts';
import { recentJson } from './recent-json.ts';
import { alertPage } from './render-alert.ts';
import { homePage } from './render-home.ts';
import { type StaticAnswer, staticAnswer } from './static-answer.ts';
import type { PageLanguage } from './texts.ts';

/** Short enough that an alert shows at once; an edge that fails leaves the last page standing for a day. */
const CACHE = 'public, max-age=5, stale-if-error=86400';

/** Everything that depends on the alerts, ready as bytes. */
interface Rendered {
  readonly revision: number;
  readonly validUntilMs: number;
  readonly recent: StaticAnswer;
  readonly home: Readonly<Record<PageLanguage, StaticAnswer>>;
  readonly alerts: ReadonlyMap<string, StaticAnswer>;
}

/** The current pages: made anew when an alert came or one expired, never for a reader. */
export type Pages = () => Rendered;

export function createPages(alerts: RecentAlerts, now: Clock): Pages {
  let rendered: Rendered | undefined;
  return () => {
    const nowMs = now();
    if (!rendered || rendered.revision !== alerts.revision() || rendered.validUntilMs <= nowMs)
      rendered = renderAll(alerts, nowMs);
    return rendered;
  };
}

function renderAll(alerts: RecentAlerts, nowMs: number): Rendered {
  const envelopes = alerts.envelopes();
  const shown = shownAlerts(envelopes, nowMs);
  const page = (text: string, headers: Record<string, string> = {}) =>
    staticAnswer(text, {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': CACHE,
      ...headers,
    });
  const home = (language: PageLanguage) =>
    page(homePage(shown, language), { 'Content-Language': language, Vary: 'Accept-Language' });
  return {
    revision: alerts.revision(),
    validUntilMs: nextExpiryMs(envelopes, nowMs),
    recent: staticAnswer(recentJson(shown), {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': CACHE,
    }),
    home: { fr: home('fr'), en: home('en') },
    alerts: new Map(shown.map((each) => [each.envelope.id, page(alertPage(each))])),
  };
}
