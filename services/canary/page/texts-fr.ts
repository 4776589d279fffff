import type { Texts } from './texts.ts';

export const FRENCH: Texts = {
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
  missed: (count) => (count > 1 ? `${count} rondes manquées` : `${count} ronde manquée`),
  matrix: 'Chemins, par âge de la dernière preuve',
  legend: 'Comment lire ce tableau',
  strip: 'Dernières 24 h',
  stripMeaning:
    'Bande : les dernières 24 heures, maintenant à droite. Plus la barre est haute, pire c’était :',
  stripStates: {
    proved: 'prouvé',
    partly: 'des rondes manquent',
    'not-measured': 'non mesuré (veilleur absent)',
    unproved: 'sans preuve',
  },
  stripWorst: (state, duration, from, to) =>
    `au pire ${state} pendant ${duration}, de ${from} à ${to} UTC`,
  stripAll: (state) => `${state} tout le temps`,
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
  dead: 'Ce qui est mort, et depuis quand',
  nothingDead:
    'Rien n’est connu comme mort. Cela ne prouve rien : seuls comptent les âges ci-dessous.',
  deadCount: (count) =>
    count === 0
      ? 'Rien n’est connu comme mort.'
      : count === 1
        ? '1 chose est connue comme morte.'
        : `${count} choses sont connues comme mortes.`,
  deadPart: (kind, name, answered) => {
    const what = {
      ingest: 'Ingest',
      dispatcher: 'Répartiteur',
      edge: 'Accès public',
      bus: 'Bus (NATS)',
      probe: 'Sonde',
      canary: 'Veilleur',
    }[kind];
    if (kind === 'probe') return `${what} ${name} : n’est plus connectée, depuis`;
    return `${what} ${name} : ${answered ? 'dit qu’il n’est pas prêt' : 'ne répond pas'}, depuis`;
  },
  notWitnessed: (count, total) =>
    `La dernière alerte réelle n’a été reçue que par ${count} ${count > 1 ? 'sondes' : 'sonde'} sur ${total}, depuis`,
  stages: {
    'ingest-refused': 'refusé par l’ingest',
    'ingest-unreachable': 'l’ingest ne répond pas',
    'not-received': 'accepté, mais jamais reçu',
  },
  late: 'reçu trop tard',
  proved: 'reçu et vérifié',
  realAlert: 'Dernière alerte réelle',
  noRealAlert: 'Aucune alerte réelle n’est connue.',
  acceptedAt: 'Acceptée à',
  acceptedUnknown: 'une heure inconnue : aucun répartiteur ne la donne',
  receivedBy: (count, total) => `reçue par ${count} ${count > 1 ? 'sondes' : 'sonde'} sur ${total}`,
  after: 'après',
  timeline: 'Remise aux fournisseurs, secondes après l’acceptation',
  timelineColumns: ['première', 'moitié', '95 %', '99 %', 'dernière'],
  taken: 'remises',
  notTaken: 'Aucun répartiteur ne dit où elle en est.',
  pending: (count) => `${count} en attente`,
  probe: 'sonde',
  via: 'par le répartiteur',
  through: 'par',
  timelineKey: 'Trait épais : jusqu’à 95 %. Pointillés : sondes.',
  receivedAt: 'reçue à',
  canaries: 'Les autres veilleurs',
  noOtherCanary: 'Aucun autre veilleur n’est déclaré : personne ne surveille celui-ci.',
  canaryUnreachable: 'NE RÉPOND PAS',
  canaryNoProof: 'AUCUNE PREUVE',
  slow: 'Autres preuves, plus espacées',
  butFaults: 'Mais quelque chose est mort ou en défaut : lisez ce qui suit.',
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
  staleSince: 'CETTE PAGE N’EST PLUS À JOUR : le veilleur ne répond plus. Elle date de',
  unknown: 'ON NE SAIT PLUS si une alerte arriverait',
  writtenAt: 'Page écrite à',
  writtenHelp: 'Plus d’une minute de retard sur votre montre : cette page est vieille.',
  skip: 'Aller aux chemins',
  links: 'Liens',
  credentials: 'Certificats et clés, par jours restants',
  noCredentials: 'Rien n’a été relevé : compte comme mauvais.',
  credentialKinds: {
    certificate: 'certificat',
    'push-key': 'clé d’envoi',
    'api-key': 'clé d’API',
    'signing-key': 'clé de signature',
  },
  daysLeft: (days) => (days > 1 ? `${days} jours` : days === 1 ? '1 jour' : 'moins d’un jour'),
  expiredSince: (days) =>
    days > 1
      ? `PÉRIMÉ depuis ${days} jours`
      : days === 1
        ? 'PÉRIMÉ depuis 1 jour'
        : 'PÉRIMÉ aujourd’hui',
  noEnd: 'sans date de fin',
  refused: 'REFUSÉ',
  lastUsed: 'accepté',
  others: (count) => (count > 1 ? `et ${count} autres, plus tard` : 'et 1 autre, plus tard'),
  credential: 'quoi',
  ends: 'reste',
  drills: 'Derniers exercices',
  drillKinds: {
    'dead-receiver': 'Récepteur mort',
    restart: 'Redémarrage',
    restore: 'Restauration',
    correction: 'Rectification',
  },
  drillNever: 'jamais fait',
  drillOk: 'réussi',
  drillFailed: 'ÉCHOUÉ',
  drillMeasures: {
    toPageSeconds: (seconds) => `appel après ${seconds}`,
    toRecoverySeconds: (seconds) => `rétabli après ${seconds}`,
    toCorrectionSeconds: (seconds) => `rectifié après ${seconds}`,
  },
  daysAgo: (days) => (days > 1 ? `il y a ${days} jours` : days === 1 ? 'hier' : 'aujourd’hui'),
  emulated:
    'La sonde FCM est émulée, un second avis : elle prouve la chaîne jusqu’au fournisseur, pas un téléphone.',
  runbooks: 'Fiches réflexes',
  metrics: 'Métriques',
  json: 'Chemins (JSON)',
  otherLanguage: 'English',
  utc: 'UTC',
};
