import { DRILL_FRENCH } from './drill/texts-fr.ts';
import { PROBES_FRENCH } from './probes/texts-fr.ts';
import { TRACE_FRENCH } from './trace/texts-fr.ts';

const number = (n: number) => n.toLocaleString('fr-FR').replaceAll('\u202f', '\u00a0');
const seconds = (n: number) => `${n.toFixed(1).replace('.', ',')} s`;
const decimal = (n: number) => String(n).replace('.', ',');
const plural = (n: number, one: string, many: string) => (n < 2 ? one : many);

/** Seconds from ingest's signature to the provider's acceptance. */
interface Timing {
  readonly firstSeconds: number;
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly p99Seconds: number;
  readonly lastSeconds: number;
}

interface PlanGiven {
  readonly quotaPerMinute: number;
  readonly rampSeconds: number;
  readonly nodeRatePerSecond: number;
  readonly replyMs: number;
}

const STATES: Readonly<Record<string, string>> = {
  sending: 'envoi en cours',
  done: 'envoi terminé',
  expired: 'expirée',
  cancelled: 'annulée',
  journaled: 'enregistrée sans envoi (trop tard)',
  'no-answer': 'ne répond pas',
  unknown: 'aucun répartiteur ne répond',
  'unknown-alert': 'ne connaît pas ce message',
  'not-stored': 'refusée, enregistrée nulle part',
};

const ACTIONS: Readonly<Record<string, string>> = {
  shown: 'affichée',
  replaced: 'mise à jour',
  'taken-down': 'retirée',
  ignored: 'déjà connue',
};

const STATUSES: Readonly<Record<string, string>> = {
  Actual: 'Alerte réelle',
  Exercise: 'Exercice',
  Test: 'Essai technique',
};

const MSG_TYPES: Readonly<Record<string, string>> = {
  Alert: 'premier message',
  Update: 'mise à jour',
  Cancel: 'annulation',
};

/** All that the command line says, in French: the language of the duty officer. */
export const FRENCH = {
  /** Of texts that are typed at the command line, as CAP writes it. */
  language: 'fr-FR',
  number,
  seconds,
  confirmWord: 'ENVOYER',
  confirm: (word: string) => `Tapez ${word} pour envoyer cette alerte à la population : `,
  notConfirmed: 'Rien n’a été envoyé.',
  refused: (what: string) => `Refusé : ${what}`,
  action: (what: string) => `À faire : ${what}`,
  problems: (n: number) =>
    `Le message n’est pas prêt, ${n} ${plural(n, 'point', 'points')} à corriger, rien n’a été envoyé :`,
  notJson: (file: string) => `${file} n’est pas du JSON valide.`,
  unreadable: (file: string) => `Impossible de lire ${file}.`,
  needsId:
    'Ce fichier est une mise à jour ou une annulation : dites de quelle alerte avec « tocsin update ID FICHIER » ou « tocsin cancel ID FICHIER ».',
  wrongStatus: (file: string, alert: string) =>
    `Le fichier est de nature ${file}, l’alerte est de nature ${alert} : rien n’a été envoyé.`,
  wrongType: (wanted: string) => `Le fichier n’a pas le bon msgType : il faut ${wanted}.`,
  willSend: 'Message à envoyer :',
  summary: {
    status: (status: string, msgType: string) =>
      `  Nature    ${STATUSES[status] ?? status}, ${MSG_TYPES[msgType] ?? msgType}`,
    area: (area: string) => `  Zone      ${area}`,
    headline: (headline: string) => `  Titre     ${headline}`,
    languages: (list: readonly string[]) => `  Langues   ${list.length} (${list.join(', ')})`,
    expires: (text: string) => `  Expire    ${text}`,
  },
  passedOver: (name: string, status: number | undefined, next: string) =>
    `Le point d’entrée ${name} ${status === undefined ? 'ne répond pas' : `répond ${status}`} : même message au point d’entrée ${next}.`,
  ingestFailed: (name: string, url: string, status: number | undefined) =>
    `  ${name} (${url}) : ${status === undefined ? 'pas de réponse' : `réponse ${status}`}`,
  noIngest: 'Aucun point d’entrée n’a accepté la demande.',
  noIngestAction:
    'À faire : recommencez (un message répété n’est montré qu’une fois). Si rien ne répond, utilisez les autres moyens d’alerte et appelez l’astreinte.',
  accepted: (id: string, ingest: string) =>
    `Accepté par le point d’entrée ${ingest}. Numéro : ${id}`,
  durability: (value: string | undefined, storedBy: string) =>
    value === 'one-site'
      ? `ATTENTION : enregistré dans un seul site${storedBy}. L’alerte part ; prévenez l’astreinte.`
      : `Enregistré sur disque dans au moins deux sites${storedBy}.`,
  nobody: 'ATTENTION : aucun appareil n’est inscrit dans cette zone. Vérifiez les codes INSEE.',
  audience: (counts: string) => `Appareils inscrits dans la zone : ${counts}`,
  link: (name: string, url: string) => `  ${name} : ${url}`,
  state: (state: string) => STATES[state] ?? state,
  title: (id: string, state: string) => `Message ${id} : ${STATES[state] ?? state}`,
  transport: (
    kind: string,
    t: { audience: number; accepted: number; gone: number; rejected: number; pending: number },
  ) =>
    `  ${kind.padEnd(9)} ${number(t.accepted)} sur ${number(t.audience)} ${plural(t.accepted, 'accepté', 'acceptés')} par le fournisseur` +
    `${t.pending > 0 ? `, ${number(t.pending)} en attente` : ''}${t.gone > 0 ? `, ${number(t.gone)} ${plural(t.gone, 'désinscrit', 'désinscrits')}` : ''}` +
    `${t.rejected > 0 ? `, ${number(t.rejected)} ${plural(t.rejected, 'refusé', 'refusés')}` : ''}`,
  transportTimes: (first: number, last: number) =>
    ` (premier après ${seconds(first)}, dernier après ${seconds(last)})`,
  transportTiming: (t: Timing) =>
    `            accepté après : premier ${seconds(t.firstSeconds)}, moitié ${seconds(t.p50Seconds)}, 95 % ${seconds(t.p95Seconds)}, 99 % ${seconds(t.p99Seconds)}, dernier ${seconds(t.lastSeconds)}`,
  node: (name: string, state: string, counts: string) =>
    `  nœud ${name.padEnd(4)} ${STATES[state] ?? state}${counts}`,
  nodeCounts: (counts: readonly (readonly [string, number])[]) =>
    counts.length === 0 ? '' : ` : ${counts.map(([kind, n]) => `${kind} ${number(n)}`).join(', ')}`,
  probes: (received: number, total: number | undefined, afterSeconds: number | undefined) =>
    received === 0
      ? `  Aucune sonde${total ? ` sur ${total}` : ''} ne l’a encore reçue`
      : `  Reçue et vérifiée par ${received} ${plural(received, 'sonde', 'sondes')}${total ? ` sur ${total}` : ''}${afterSeconds === undefined ? '' : ` après ${seconds(afterSeconds)}`}`,
  receipts: (kind: string, actions: Readonly<Record<string, number>>) =>
    `  Appareils ${kind} : ${Object.entries(actions)
      .map(([action, n]) => `${ACTIONS[action] ?? action} ${number(n)}`)
      .join(', ')}`,
  waiting: 'Pas de réponse pour l’instant, nouvel essai…',
  lost: 'Aucun point d’entrée ne répond plus. L’alerte acceptée continue de partir ; suivez-la plus tard avec « tocsin status ».',
  keyMade: (id: string) =>
    `Clé ${id} créée. Elle n’est montrée qu’une fois, gardez-la en lieu sûr :`,
  keyEntry: 'À mettre dans le fichier des clés de chaque ingest (il ne contient que l’empreinte) :',
  keyAppended: (file: string) => `Ajoutée à ${file}. Redémarrez les ingests l’un après l’autre.`,
  keyExists: (id: string, file: string) => `Une clé ${id} existe déjà dans ${file}.`,
  fileExists: (file: string) => `${file} existe déjà : une clé n’est jamais écrasée.`,
  privateWritten: (file: string) => `Partie privée écrite dans ${file} (lisible par vous seul).`,
  publicPart:
    'Partie publique, à ajouter aux clés de confiance (TRUSTED_KEYS_FILE) partout, avant de signer avec :',
  vapidPublic: 'Clé publique VAPID (VAPID_PUBLIC_KEY des edges) :',
  apiKeysTitle: (file: string) => `Clés d’API de ${file} :`,
  signingKeysTitle: (file: string) => `Clés de signature reconnues, de ${file} :`,
  keyExpires: (when: string) => `, jusqu’au ${when}`,
  wrongKey: 'La clé ne convient pas :',
  imported: (done: number, refused: number) =>
    `${number(done)} inscrits, ${number(refused)} refusés`,
  lineRefused: (line: number, device: string, why: string) =>
    `ligne ${line}${device === '' ? '' : ` (${device})`} : ${why}`,
  resume: (line: number) =>
    `Interrompu. Pour reprendre : ajoutez --from-line ${line}. Une ligne envoyée deux fois ne compte qu’une fois.`,
  noEdge: 'Aucun edge ne répond.',
  noEdges: 'La configuration ne nomme aucun edge.',
  routesTitle:
    'Dernière preuve de chaque chemin (une preuve = un appareil témoin a reçu et vérifié) :',
  route: (path: string, age: number | undefined) =>
    `  ${age === undefined || age > 150 ? '✗' : '✓'} ${path.padEnd(36)} ${age === undefined ? 'jamais prouvé' : `il y a ${Math.round(age)} s`}`,
  routesBad:
    'Au moins un chemin n’est pas prouvé. L’alerte partira par tous les chemins, prouvés ou non.',
  noDispatchers: 'La configuration ne nomme aucun répartiteur (dispatchers).',
  dispatchersSilent: 'Des répartiteurs n’ont pas répondu, recommencez plus tard pour eux :',
  quarantineOf: (
    node: string,
    transports: readonly { transport: string; count: number; oldest: string; newest: string }[],
  ) =>
    transports.length === 0
      ? `Répartiteur ${node} : personne en quarantaine`
      : `Répartiteur ${node} : ${transports
          .map(
            ({ transport, count, oldest, newest }) =>
              `${transport} ${number(count)} (du ${oldest} au ${newest})`,
          )
          .join(', ')}`,
  quarantineJudged: (node: string, action: 'release' | 'drop', judged: number, removed: number) =>
    action === 'release'
      ? `Répartiteur ${node} : ${number(judged)} ${plural(judged, 'libéré', 'libérés')}, toujours ${plural(judged, 'abonné', 'abonnés')}`
      : `Répartiteur ${node} : ${number(removed)} ${plural(removed, 'désinscrit', 'désinscrits')}, ${number(judged - removed)} ${plural(judged - removed, 'gardé', 'gardés')} (réinscrits depuis)`,
  dropWord: 'DESINSCRIRE',
  confirmDrop: (word: string) =>
    `Tapez ${word} pour désinscrire ces appareils, qui ne recevront plus rien : `,
  notDropped: 'Personne n’a été désinscrit (--yes pour ne pas attendre de confirmation).',
  duration: (s: number) =>
    s < 120
      ? seconds(s)
      : `${number(Math.floor(Math.round(s) / 60))} min ${String(Math.round(s) % 60).padStart(2, '0')} s`,
  plan: {
    title: (audience: number, nodes: number) =>
      `Une alerte pour ${number(audience)} ${plural(audience, 'appareil', 'appareils')}, ${number(nodes)} ${plural(nodes, 'répartiteur', 'répartiteurs')} : temps entre le premier envoi et l’acceptation par le fournisseur`,
    given: (input: PlanGiven) =>
      `Quota FCM ${number(input.quotaPerMinute)} par minute et par projet, montée en ${decimal(input.rampSeconds)} s ; chaque répartiteur envoie ${number(input.nodeRatePerSecond)} messages par seconde ; les fournisseurs répondent en ${number(input.replyMs)} ms`,
    projects: (n: number) => `${number(n)} ${plural(n, 'projet', 'projets')} FCM`,
    columns: ['appareils', '50 %', '95 %', '99 %', 'dernier'],
    limit: 'retenu par',
    limits: { quota: 'quota', nodes: 'nos machines', 'in-flight': 'envois en cours' },
    all: 'tous',
    notes: [
      'Accepté ne veut pas dire reçu : un téléphone éteint ou hors réseau le reçoit plus tard, jusqu’à la fin de validité.',
      'Les services Web Push ne publient pas de limites : celui qui freine prend plus de temps. Un répartiteur envoie à un projet FCM ; plusieurs projets demandent des appareils inscrits à chacun.',
    ],
  },
  drill: DRILL_FRENCH,
  trace: TRACE_FRENCH,
  probePages: PROBES_FRENCH,
  badOption: (option: string, what: string) => `${option} : ${what}`,
  help: {
    headings: {
      'Usage:': 'Emploi :',
      'Options:': 'Options :',
      'Commands:': 'Commandes :',
      'Arguments:': 'Arguments :',
      'Global Options:': 'Options générales :',
    } as Readonly<Record<string, string>>,
    program: 'Tocsin : lancer, corriger, arrêter et suivre une alerte, depuis un terminal.',
    show: 'montre cette aide',
    config: 'fichier des adresses et des clés (sinon TOCSIN_CONFIG, sinon .tocsin/cli.json)',
    lang: 'langue : fr ou en (sinon celle du poste)',
    send: 'vérifie puis envoie le message CAP (JSON) de FILE',
    update: 'remplace l’alerte ID par le message de FILE (qui ne contient que ce qui change)',
    cancel: 'annule l’alerte ID, envoyée par erreur ; FILE peut porter le texte',
    cancelAfter: [
      '',
      'Une annulation dit : ce message était une erreur. Quand le danger est passé, envoyez une fin d’alerte :',
      '  tocsin update ID deploy/examples/nice-all-clear.json',
    ].join('\n'),
    status: 'montre où en est l’alerte ID',
    follow: 'suit l’envoi jusqu’à la fin',
    ingest: 'point d’entrée à essayer en premier',
    yes: 'n’attend pas de confirmation',
    reason: 'raison, gardée avec l’annulation',
    keys: 'fabrique et montre les clés',
    newApi: 'fabrique une clé d’API pour une préfecture ou une commune',
    newSigning: 'fabrique une clé de signature (Ed25519)',
    listKeys: 'montre les clés connues, jamais leur partie secrète',
    vapid: 'fabrique une paire de clés VAPID pour Web Push',
    keyId: 'nom de la clé, comme pref06',
    sender: 'expéditeur CAP pour lequel elle parle',
    territory: 'départements et communes (codes INSEE), séparés par des virgules',
    statuses: 'natures permises, séparées par des virgules',
    maxSeverity: 'gravité la plus haute permise',
    expiresAt: 'fin de validité (2027-01-01T00:00:00Z)',
    append: 'fichier de clés à compléter',
    audience: 'public ou canary',
    kid: 'nom de la clé, comme a-public-2',
    out: 'fichier de la partie privée',
    subject: 'contact du responsable (mailto: ou https:)',
    apiKeysFile: 'fichier des clés d’API',
    devices: 'appareils inscrits',
    importDevices: 'inscrit les appareils de FILE (une Subscription en JSON par ligne)',
    fromLine: 'première ligne à lire, pour reprendre',
    quarantine: 'appareils que les fournisseurs ont dit perdus en trop grand nombre',
    listQuarantine: 'montre combien chaque répartiteur en garde',
    quarantineDevices: 'montre aussi les cent derniers',
    releaseQuarantine: 'le fournisseur s’est trompé : ils restent abonnés',
    dropQuarantine: 'le fournisseur a raison : les désinscrit partout',
    transport: 'fcm ou web-push seulement',
    olderThan: 'seulement ceux d’il y a plus longtemps (30m, 2h, 7d)',
    routes: 'âge de la dernière preuve de chaque chemin',
    plan: 'quand combien d’appareils seraient servis, selon les quotas des fournisseurs',
    planAudience: 'appareils dans la zone',
    planFcmShare: 'part atteinte par FCM, de 0 à 1 (0.8)',
    planProjects: 'nombres de projets FCM à comparer (1,2,4)',
    planQuota: 'messages par minute et par projet (600000)',
    planRamp: 'secondes jusqu’au plein débit, comme FCM_RAMP_SECONDS (10)',
    planNodes: 'répartiteurs en service (2)',
    planNodeRate: 'envois par seconde d’un répartiteur, mesurés par make bench-alert (10000)',
    planReply: 'millisecondes jusqu’à la réponse d’un fournisseur (50)',
    planJson: 'en JSON',
    after: [
      '',
      'Exemples :',
      '  tocsin routes                                         avant d’envoyer : les chemins sont-ils prouvés ?',
      '  tocsin send deploy/examples/nice-alert.json --follow',
      '  tocsin update ID deploy/examples/nice-update.json --follow',
      '  tocsin update ID deploy/examples/nice-all-clear.json  fin de l’alerte : le danger est passé',
      '  tocsin cancel ID --reason "envoyée par erreur"        annulation : l’alerte était une erreur',
      '  tocsin keys new-api --id pref06 --sender pref06@alerte.example --territory 06 --statuses Actual,Exercise',
      '  tocsin devices import appareils.jsonl',
      '  tocsin trace ID                                       qu’est devenue cette alerte, seconde par seconde ?',
      '  tocsin drill correction                               une correction arrive-t-elle en 30 s ?',
      '  tocsin plan --audience 5000000 --projects 1,2,4       combien de temps faudrait-il ?',
      '',
      'Dans un fichier : "now" et "now+2h" (m, h, d) pour sent, onset et expires ; "auto" pour identifier et references.',
      '',
      'Codes de sortie : 0 fait ; 1 refusé ; 2 commande ou fichier incorrect ; 3 personne ne répond.',
    ].join('\n'),
  },
};

/** What every language has to offer. */
export type Texts = typeof FRENCH;
