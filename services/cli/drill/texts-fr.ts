import type { DrillKind, DrillRecord } from '../../../shared/receipt/drill.ts';

const seconds = (s: number) => `${s.toLocaleString('fr-FR', { maximumFractionDigits: 1 })} s`;

const KINDS: Readonly<Record<DrillKind, string>> = {
  'dead-receiver': 'récepteur mort',
  restart: 'redémarrage',
  restore: 'restauration',
  correction: 'correction',
};

function measureLines({ measures }: DrillRecord): string[] {
  const { toPageSeconds, toRecoverySeconds, toCorrectionSeconds } = measures;
  return [
    ...(toPageSeconds === undefined ? [] : [`  jusqu’à l’appel        ${seconds(toPageSeconds)}`]),
    ...(toRecoverySeconds === undefined
      ? []
      : [`  jusqu’au rétablissement ${seconds(toRecoverySeconds)}`]),
    ...(toCorrectionSeconds === undefined
      ? []
      : [`  jusqu’à la correction   ${seconds(toCorrectionSeconds)}`]),
  ];
}

/** What drills say, in French. */
export const DRILL_FRENCH = {
  checking: 'Le système est-il entièrement prouvé, et sans alerte en cours ?',
  noCanaries: 'La configuration ne nomme aucun veilleur (canaries) : rien ne pourrait être mesuré.',
  noEdge:
    'Aucun edge ne répond (ou la configuration n’en nomme aucun) : impossible de savoir si une alerte est en cours. Pas d’exercice.',
  liveAlert: (ids: readonly string[]) =>
    `Une alerte est en cours (${ids.join(', ')}) : pas d’exercice maintenant.`,
  silent: (names: readonly string[]) =>
    `Veilleurs qui ne répondent pas : ${names.join(', ')}. Pas d’exercice sur un système qui n’est pas entièrement prouvé.`,
  notProved: (bad: readonly string[], total: number) =>
    total === 0
      ? 'Aucun chemin n’est surveillé : pas d’exercice.'
      : `${bad.length} chemins sur ${total} ne sont pas prouvés : pas d’exercice sur un système qui ne va pas bien. ${bad.slice(0, 8).join(', ')}${bad.length > 8 ? '…' : ''}`,
  otherDrill: (probes: readonly string[]) =>
    `Un autre exercice est en cours : ${probes.join(', ')} n’entend rien.`,
  what: {
    deadReceiver: (transport: string) =>
      `Exercice : toutes les sondes ${transport} n’entendent plus rien, jusqu’à ce que ce soit vu (quatre minutes au plus). L’astreinte sera appelée. Les alertes réelles continuent de partir.`,
    restart: (service: string, node: string) =>
      `Exercice : ${service} du nœud ${node} est redémarré. Les autres font son travail pendant ce temps.`,
    restore: (node: string) =>
      `Exercice : une copie du registre du répartiteur ${node} est restaurée à côté, contrôlée, puis effacée. Elle contient les adresses de push des personnes.`,
    correction: (ingest: string) =>
      `Exercice : un essai technique est envoyé aux seules sondes par l’ingest ${ingest}, mis à jour, puis annulé.`,
  },
  confirmWord: 'EXERCICE',
  confirm: (word: string) => `Tapez ${word} pour commencer : `,
  notConfirmed: 'Rien n’a été fait (--yes pour ne pas attendre de confirmation).',
  noProbe: (transport: string, canaries: readonly string[]) =>
    `Pas de sonde ${transport} chez : ${canaries.join(', ')}.`,
  noAlertmanager: (url: string) => `Alertmanager ne répond pas à ${url}.`,
  openPage: (names: readonly string[]) =>
    `L’astreinte est déjà appelée (${names.join(', ')}) : pas d’exercice par-dessus.`,
  deaf: (probes: readonly string[]) => `Sourdes : ${probes.join(', ')}`,
  unproved: (transport: string, s: number) =>
    `Aucun chemin ${transport} n’est plus dit prouvé, après ${seconds(s)}`,
  paged: (alert: string, s: number) => `L’astreinte est appelée (${alert}), après ${seconds(s)}`,
  withoutAlertmanager:
    'Sans --alertmanager, « jusqu’à l’appel » est le moment où les veilleurs le voient : l’appel lui-même n’est pas mesuré.',
  stillDeaf: (probe: string, s: number) =>
    `La sonde ${probe} n’a pas pu être prévenue : elle entendra de nouveau d’elle-même, ${s} s au plus après le début.`,
  hearing: 'Les sondes entendent de nouveau ; attente des preuves…',
  recovered: (s: number) => `Chaque chemin est prouvé de nouveau, après ${seconds(s)}`,
  notRecovered: 'Tous les chemins ne sont pas prouvés à temps.',
  restarting: (service: string, node: string) => `Redémarrage de ${service} ${node}…`,
  noRestart:
    'La configuration ne dit pas comment redémarrer un service : il faut control (make run) ou restartCommand, par exemple ["ssh", "{node}", "sudo", "systemctl", "restart", "tocsin-{service}"].',
  answers: (s: number) => `Le nouveau processus répond, après ${seconds(s)}`,
  ready: (s: number) => `Il est prêt, après ${seconds(s)}`,
  copying: (node: string) => `Copie du registre depuis le répartiteur ${node}…`,
  copied: (kilobytes: number, s: number) =>
    `Copie reçue : ${kilobytes.toLocaleString('fr-FR')} ko, après ${seconds(s)} ; contrôle de chaque ligne…`,
  checked: (devices: number, sample: number, s: number) =>
    `Copie entière : ${devices.toLocaleString('fr-FR')} appareils, ${sample.toLocaleString('fr-FR')} relus un par un, après ${seconds(s)} ; comparaison par département…`,
  deleted: 'Copie effacée.',
  noCounts: 'Aucun répartiteur ne dit combien d’appareils il connaît.',
  raising: (paths: number, probes: number, ingest: string) =>
    `Essai, mise à jour et annulation par l’ingest ${ingest}, sur ${paths} chemins, pour ${probes} sondes…`,
  corrected: (s: number) =>
    `Chaque sonde a reçu l’annulation, ${seconds(s)} au plus après son acceptation`,
  summary: (record: DrillRecord) => [
    `Exercice « ${KINDS[record.kind]} » : ${record.ok ? 'réussi' : 'ÉCHEC'}`,
    ...measureLines(record),
    ...(record.note === undefined ? [] : [`  ${record.note}`]),
  ],
  kept: (kept: number, total: number) => `Noté par ${kept} veilleur(s) sur ${total}.`,
  notKept: 'Aucun veilleur n’a noté cet exercice : il compte comme s’il n’avait pas eu lieu.',
  failed: (kind: DrillKind) =>
    `L’exercice « ${KINDS[kind]} » a échoué : voir docs/drills.md, « Lire le résultat ».`,
  help: {
    drill: 'exercices sur un système vivant : casse exprès, mesure, note (docs/drills.md)',
    deadReceiver: 'rend les sondes sourdes : combien de temps jusqu’à l’appel de l’astreinte ?',
    restart: 'redémarre un service : combien de temps jusqu’à ce qu’il soit prouvé de nouveau ?',
    restore: 'restaure une copie du registre à côté : est-elle entière ?',
    correction: 'essai, mise à jour et annulation vers les seules sondes : en combien de temps ?',
    transport: 'fcm ou web-push',
    alertmanager: 'adresse d’Alertmanager, pour mesurer l’appel lui-même',
    service: 'dispatcher, ingest, edge ou canary',
    node: 'nom du nœud (le premier de la configuration)',
    ingest: 'ingest par lequel passer (le premier)',
    by: 'qui fait l’exercice (l’utilisateur)',
    json: 'le résultat en JSON ; le déroulement va sur la sortie d’erreur',
    after: [
      '',
      'Refusé quand une alerte est en cours ou que tout n’est pas prouvé. Chaque exercice, même raté, est noté par tous les veilleurs.',
      'Codes de sortie : 0 réussi ; 1 raté ou refusé ; 2 commande incorrecte ou pas de confirmation ; 3 personne ne répond.',
    ].join('\n'),
  },
};

export type DrillTexts = typeof DRILL_FRENCH;
