import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { MissStage, PathState } from '../judge.ts';
import type { RefusalKind } from '../refusing/refusal-kinds.ts';
import type { UnreadyNode } from '../watch-peers.ts';

export type Language = 'fr' | 'en';
export type PathPart = keyof CanaryPath;

/** Every word of the page. Functions take what is already formatted. */
export interface Texts {
  readonly title: string;
  readonly site: (site: string, canary: string) => string;
  readonly allProved: string;
  readonly someProved: string;
  readonly noProof: string;
  /** Some transport brings nothing to anybody; named one by one. */
  readonly deaf: (transports: readonly string[]) => string;
  readonly deafMeaning: string;
  readonly colon: string;
  readonly whatToDo: string;
  readonly since: string;
  readonly sinceStart: string;
  readonly lastProof: string;
  readonly proofs: (proved: number, total: number) => string;
  readonly fallback: string;
  /** What stands before and after an age. */
  readonly ago: readonly [before: string, after: string];
  readonly states: Readonly<Record<PathState, string>>;
  readonly stateMeaning: Readonly<Record<PathState, string>>;
  readonly never: string;
  readonly missed: (count: number) => string;
  readonly matrix: string;
  readonly parts: Readonly<Record<PathPart, string>>;
  readonly values: Readonly<Record<string, string>>;
  readonly partPhrase: (part: PathPart, value: string) => string;
  readonly joinPhrases: (phrases: readonly string[]) => string;
  readonly allFail: string;
  readonly pathsFail: (through: string) => string;
  readonly onePathFails: (name: string) => string;
  readonly pathCount: (count: number) => string;
  readonly causes: string;
  readonly stages: Readonly<Record<MissStage, string>>;
  readonly late: string;
  readonly proved: string;
  readonly unready: (node: UnreadyNode) => string;
  readonly processes: string;
  readonly realAlert: string;
  readonly noRealAlert: string;
  readonly receivedBy: (count: number, total: number) => string;
  readonly probe: string;
  readonly via: string;
  readonly receivedAt: string;
  readonly canaries: string;
  readonly noOtherCanary: string;
  readonly canaryUnreachable: string;
  readonly canaryNoProof: string;
  /** Proofs whose age is counted in minutes or hours. */
  readonly slow: string;
  readonly slowFails: string;
  readonly butFaults: string;
  readonly stored: string;
  readonly storedEvery: (period: string) => string;
  readonly storedFound: (latency: string) => string;
  readonly storedFails: string;
  readonly refusalKinds: Readonly<Record<RefusalKind, string>>;
  readonly refusedState: string;
  readonly acceptedState: string;
  readonly refusalEvery: (period: string) => string;
  readonly refusalAccepted: (times: number) => string;
  /** A false message was accepted by a device: named by its kind. */
  readonly refusalShown: (kind: string) => string;
  readonly refusalSilent: (kind: string) => string;
  readonly clocks: string;
  readonly clocksAgree: string;
  readonly clocksApart: string;
  readonly clocksCompared: (compared: number, nodes: number) => string;
  readonly clockOff: (
    kind: UnreadyNode['kind'],
    name: string,
    off: string,
    ahead: boolean,
  ) => string;
  readonly rounds: string;
  readonly noRounds: string;
  readonly time: string;
  readonly path: string;
  readonly result: string;
  readonly latency: string;
  readonly stale: string;
  readonly emulated: string;
  readonly runbooks: string;
  readonly metrics: string;
  readonly json: string;
  readonly otherLanguage: string;
  readonly utc: string;
}

const FRENCH: Texts = {
  title: 'Preuves de réception',
  site: (site, canary) => `site ${site} · veilleur ${canary}`,
  allProved: 'Une alerte arriverait',
  someProved: 'Une alerte arriverait, mais pas par tous les chemins',
  noProof: 'AUCUNE PREUVE',
  deaf: (transports) => `RIEN N’ARRIVE PAR ${transports.join(' NI ')}`,
  deafMeaning:
    'Les appareils qui ne reçoivent que par là n’auraient pas l’alerte. Prévenez-les autrement : téléphone, sirènes, FR-Alert.',
  colon: ' :',
  whatToDo: 'Que faire',
  since: 'depuis',
  sinceStart: 'depuis le démarrage, il y a',
  lastProof: 'Dernière preuve',
  proofs: (proved, total) =>
    `${proved} ${proved > 1 ? 'chemins' : 'chemin'} sur ${total} ${proved > 1 ? 'prouvés' : 'prouvé'}`,
  fallback:
    'Rien ne dit qu’une alerte arriverait. Ne comptez pas sur Tocsin : téléphone, sirènes, FR-Alert.',
  ago: ['il y a ', ''],
  states: {
    proved: 'prouvé',
    late: 'en retard',
    unproved: 'sans preuve',
    'not-measured': 'jamais prouvé',
  },
  stateMeaning: {
    proved: 'un message a été reçu, déchiffré et vérifié il y a moins d’une période et demie',
    late: 'une ronde manque ; le chemin est suspect',
    unproved: 'le chemin n’apporte plus rien',
    'not-measured': 'rien n’est encore arrivé : compte comme mauvais',
  },
  never: 'jamais',
  missed: (count) => (count > 1 ? `${count} rondes manquées` : `${count} ronde manquée`),
  matrix: 'Chemins, par âge de la dernière preuve',
  parts: { ingest: 'ingest', lane: 'voie', dispatcher: 'répartiteur', transport: 'transport' },
  values: { bus: 'bus', direct: 'directe', fcm: 'FCM', 'web-push': 'Web Push' },
  partPhrase: (part, value) =>
    ({
      ingest: `l’ingest ${value}`,
      lane: `la voie ${value === 'direct' ? 'directe' : 'du bus'}`,
      dispatcher: `le répartiteur ${value}`,
      transport: value === 'fcm' ? 'FCM' : 'Web Push',
    })[part],
  joinPhrases: (phrases) => phrases.join(' et '),
  allFail: 'Tous les chemins échouent depuis',
  pathsFail: (through) => `Tous les chemins par ${through} échouent depuis`,
  onePathFails: (name) => `Le chemin ${name} échoue depuis`,
  pathCount: (count) => (count > 1 ? `${count} chemins` : `${count} chemin`),
  causes: 'Ce que les échecs ont en commun',
  stages: {
    'ingest-refused': 'refusé par l’ingest',
    'ingest-unreachable': 'l’ingest ne répond pas',
    'not-received': 'accepté, mais jamais reçu',
  },
  late: 'reçu trop tard',
  proved: 'reçu et vérifié',
  unready: ({ kind, name, answered }) => {
    const what = { ingest: 'Ingest', dispatcher: 'Répartiteur', edge: 'Accès public' }[kind];
    return `${what} ${name} : ${answered ? 'dit qu’il n’est pas prêt' : 'ne répond pas'}`;
  },
  processes: 'Processus en défaut',
  realAlert: 'Dernière alerte réelle',
  noRealAlert: 'Aucune alerte réelle reçue par les sondes depuis le démarrage.',
  receivedBy: (count, total) => `reçue par ${count} ${count > 1 ? 'sondes' : 'sonde'} sur ${total}`,
  probe: 'sonde',
  via: 'par le répartiteur',
  receivedAt: 'reçue à',
  canaries: 'Les autres veilleurs',
  noOtherCanary: 'Aucun autre veilleur n’est déclaré : personne ne surveille celui-ci.',
  canaryUnreachable: 'NE RÉPOND PAS',
  canaryNoProof: 'AUCUNE PREUVE',
  slow: 'Autres preuves, plus espacées',
  slowFails: 'Autres preuves en défaut',
  butFaults: 'Mais une autre preuve est en défaut : lisez ce qui suit.',
  stored: 'Téléphone éteint',
  storedEvery: (period) => `rallumé toutes les ${period}`,
  storedFound: (latency) => `message retrouvé en ${latency}`,
  storedFails: 'Un téléphone éteint ne retrouve pas ses messages, depuis',
  refusalKinds: {
    forged: 'Signature fausse',
    expired: 'Message périmé',
    replayed: 'Message rejoué',
    'wrong-audience': 'Essai chez le public',
  },
  refusedState: 'refusé',
  acceptedState: 'ACCEPTÉ',
  refusalEvery: (period) => `tenté toutes les ${period}`,
  refusalAccepted: (times) => `un téléphone l’aurait montré, ${times} fois`,
  refusalShown: (kind) => `UN TÉLÉPHONE ACCEPTE CE QU’IL DOIT REFUSER : ${kind}`,
  refusalSilent: (kind) => `Plus rien ne prouve que ceci est refusé (${kind}), depuis`,
  clocks: 'Horloges',
  clocksAgree: 'd’accord',
  clocksApart: 'en désaccord',
  clocksCompared: (compared, nodes) => `${compared} sur ${nodes} comparées`,
  clockOff: (kind, name, off, ahead) => {
    const what = { ingest: 'de l’ingest', dispatcher: 'du répartiteur', edge: 'de l’accès public' };
    return `L’horloge ${what[kind]} ${name} ${ahead ? 'avance' : 'retarde'} de ${off}`;
  },
  rounds: 'Dernières rondes',
  noRounds: 'Aucune ronde terminée.',
  time: 'heure',
  path: 'chemin',
  result: 'résultat',
  latency: 'délai',
  stale: 'CETTE PAGE N’EST PLUS À JOUR : le veilleur ne répond pas depuis',
  emulated:
    'La sonde FCM est émulée (bac à sable) : elle prouve la chaîne jusqu’au fournisseur, pas un téléphone.',
  runbooks: 'Fiches réflexes',
  metrics: 'Métriques',
  json: 'Chemins (JSON)',
  otherLanguage: 'English',
  utc: 'UTC',
};

const ENGLISH: Texts = {
  title: 'Proofs of receipt',
  site: (site, canary) => `site ${site} · canary ${canary}`,
  allProved: 'An alert would arrive',
  someProved: 'An alert would arrive, but not by every path',
  noProof: 'NO PROOF',
  deaf: (transports) => `NOTHING ARRIVES BY ${transports.join(' NOR ')}`,
  deafMeaning:
    'Devices that receive only by it would not get the alert. Warn them otherwise: telephone, sirens, FR-Alert.',
  colon: ':',
  whatToDo: 'What to do',
  since: 'for',
  sinceStart: 'since the start, for',
  lastProof: 'Last proof',
  proofs: (proved, total) => `${proved} of ${total} paths proved`,
  fallback:
    'Nothing says that an alert would arrive. Do not rely on Tocsin: telephone, sirens, FR-Alert.',
  ago: ['', ' ago'],
  states: {
    proved: 'proved',
    late: 'late',
    unproved: 'no proof',
    'not-measured': 'never proved',
  },
  stateMeaning: {
    proved: 'a message was received, decrypted and verified within one and a half periods',
    late: 'a round is missing; the path is suspect',
    unproved: 'nothing arrives by this path any more',
    'not-measured': 'nothing has arrived yet: counts as bad',
  },
  never: 'never',
  missed: (count) => (count > 1 ? `${count} rounds missed` : `${count} round missed`),
  matrix: 'Paths, by age of the last proof',
  parts: { ingest: 'ingest', lane: 'lane', dispatcher: 'dispatcher', transport: 'transport' },
  values: { bus: 'bus', direct: 'direct', fcm: 'FCM', 'web-push': 'Web Push' },
  partPhrase: (part, value) =>
    ({
      ingest: `ingest ${value}`,
      lane: `the ${value} lane`,
      dispatcher: `dispatcher ${value}`,
      transport: value === 'fcm' ? 'FCM' : 'Web Push',
    })[part],
  joinPhrases: (phrases) => phrases.join(' and '),
  allFail: 'All paths have been failing for',
  pathsFail: (through) => `All paths through ${through} have been failing for`,
  onePathFails: (name) => `Path ${name} has been failing for`,
  pathCount: (count) => (count > 1 ? `${count} paths` : `${count} path`),
  causes: 'What the failures have in common',
  stages: {
    'ingest-refused': 'refused by ingest',
    'ingest-unreachable': 'ingest does not answer',
    'not-received': 'accepted, never received',
  },
  late: 'received too late',
  proved: 'received and verified',
  unready: ({ kind, name, answered }) => {
    const what = { ingest: 'Ingest', dispatcher: 'Dispatcher', edge: 'Edge' }[kind];
    return `${what} ${name}: ${answered ? 'says that it is not ready' : 'does not answer'}`;
  },
  processes: 'Processes at fault',
  realAlert: 'Last real alert',
  noRealAlert: 'No real alert received by the probes since the start.',
  receivedBy: (count, total) => `received by ${count} of ${total} probes`,
  probe: 'probe',
  via: 'from dispatcher',
  receivedAt: 'received at',
  canaries: 'The other canaries',
  noOtherCanary: 'No other canary is declared: nobody watches this one.',
  canaryUnreachable: 'DOES NOT ANSWER',
  canaryNoProof: 'NO PROOF',
  slow: 'Other proofs, further apart',
  slowFails: 'Other proofs that fail',
  butFaults: 'But another proof fails: read what follows.',
  stored: 'Phone that was off',
  storedEvery: (period) => `switched on every ${period}`,
  storedFound: (latency) => `message found in ${latency}`,
  storedFails: 'A phone that was off does not find its messages, for',
  refusalKinds: {
    forged: 'Forged signature',
    expired: 'Expired message',
    replayed: 'Replayed message',
    'wrong-audience': 'Test to the public',
  },
  refusedState: 'refused',
  acceptedState: 'ACCEPTED',
  refusalEvery: (period) => `tried every ${period}`,
  refusalAccepted: (times) => `a phone would have shown it, times: ${times}`,
  refusalShown: (kind) => `A PHONE ACCEPTS WHAT IT MUST REFUSE: ${kind}`,
  refusalSilent: (kind) => `Nothing proves any more that this is refused (${kind}), for`,
  clocks: 'Clocks',
  clocksAgree: 'agree',
  clocksApart: 'disagree',
  clocksCompared: (compared, nodes) => `${compared} of ${nodes} compared`,
  clockOff: (kind, name, off, ahead) =>
    `The clock of ${kind} ${name} is ${off} ${ahead ? 'ahead' : 'behind'}`,
  rounds: 'Last rounds',
  noRounds: 'No round has ended yet.',
  time: 'time',
  path: 'path',
  result: 'result',
  latency: 'latency',
  stale: 'THIS PAGE IS OUT OF DATE: the canary has not answered for',
  emulated:
    'The FCM probe is emulated (sandbox): it proves the chain up to the provider, not a phone.',
  runbooks: 'Runbooks',
  metrics: 'Metrics',
  json: 'Paths (JSON)',
  otherLanguage: 'Français',
  utc: 'UTC',
};

export function textsFor(language: Language): Texts {
  return language === 'fr' ? FRENCH : ENGLISH;
}
