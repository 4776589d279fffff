import type { Received } from './store.ts';

/** A text in both languages, French first. */
export interface Both {
  readonly fr: string;
  readonly en: string;
}

/** How long (ms) without a message is late, and how long is dead: those of the canary's own judge. */
export interface Limits {
  readonly lateMs: number;
  readonly deadMs: number;
}

export type State = 'waiting' | 'fresh' | 'late' | 'dead';

/** One and a half periods, two and a half: as the canary judges a receiver. */
export function limitsOf(periodSeconds: number): Limits {
  return { lateMs: periodSeconds * 1_500, deadMs: periodSeconds * 2_500 };
}

/** The state by the age of the last verified message; `sinceMs`: how long this page has been watching. Pure. */
export function stateOf(ageMs: number | undefined, sinceMs: number, limits: Limits): State {
  const silenceMs = ageMs ?? sinceMs;
  if (silenceMs > limits.deadMs) return 'dead';
  if (ageMs === undefined) return 'waiting';
  return silenceMs > limits.lateMs ? 'late' : 'fresh';
}

/** `12 s`, `7 min`, `3 h 05`: the same in both languages. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
}

const WORDS: Readonly<Record<State, Both>> = {
  waiting: { fr: 'Aucun message encore', en: 'No message yet' },
  fresh: { fr: 'Dernier message vérifié', en: 'Last verified message' },
  late: { fr: 'EN RETARD — dernier message', en: 'LATE — last message' },
  dead: { fr: 'RIEN REÇU depuis', en: 'NOTHING RECEIVED for' },
};

export function wordOf(state: State): Both {
  return WORDS[state];
}

const OUTCOMES: Readonly<Record<Received['outcome'], Both>> = {
  counted: { fr: 'Le veilleur a compté le reçu.', en: 'The canary counted the receipt.' },
  witnessed: { fr: 'Le veilleur a noté le témoignage.', en: 'The canary noted the witness.' },
  refused: { fr: 'Le veilleur refuse le reçu', en: 'The canary refuses the receipt' },
  removed: {
    fr: 'Cet appareil n’est plus sur la liste des sondes.',
    en: 'This device is no longer on the list of probes.',
  },
  silent: { fr: 'LE VEILLEUR NE RÉPOND PAS.', en: 'THE CANARY DOES NOT ANSWER.' },
};

/** What became of the receipt. */
export function outcomeOf({ outcome, reason }: Received): Both {
  const { fr, en } = OUTCOMES[outcome];
  return reason === undefined ? { fr, en } : { fr: `${fr} (${reason}).`, en: `${en} (${reason}).` };
}

/** What it was, when it came and by whom. */
export function messageOf({ kind, headline, atMs, via }: Received): Both {
  const at = `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
  return kind === 'real'
    ? {
        fr: `ALERTE RÉELLE : « ${headline} », reçue à ${at} par le répartiteur ${via}`,
        en: `REAL ALERT: “${headline}”, received at ${at} through dispatcher ${via}`,
      }
    : {
        fr: `Essai technique reçu à ${at} par le répartiteur ${via}`,
        en: `Technical test received at ${at} through dispatcher ${via}`,
      };
}

const REASONS: Readonly<Record<string, Both>> = {
  unsigned: { fr: 'signature inconnue', en: 'unknown signature' },
  expired: { fr: 'périmé', en: 'expired' },
  'wrong-audience': { fr: 'pas pour cet appareil', en: 'not for this device' },
  malformed: { fr: 'illisible', en: 'malformed' },
};

/** A message that this device refused, as any device has to. */
export function refusalOf({ reason = '', atMs }: Received): Both {
  const at = `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
  const words = REASONS[reason] ?? { fr: reason, en: reason };
  return {
    fr: `Message refusé à ${at} : ${words.fr}`,
    en: `Message refused at ${at}: ${words.en}`,
  };
}
