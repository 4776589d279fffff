import type { EventFacts } from './timeline-lines.ts';

const seconds = (s: number) =>
  `${s.toLocaleString('fr-FR', { minimumFractionDigits: 3, maximumFractionDigits: 3 })} s`;
const number = (n: number) => n.toLocaleString('fr-FR');
const many = (n: number, one: string, several: string) => `${number(n)} ${n > 1 ? several : one}`;

const KINDS: Readonly<Record<string, string>> = {
  ingest: 'ingest',
  dispatcher: 'répartiteur',
  edge: 'edge',
  canary: 'veilleur',
  bus: 'bus',
};
const LANES: Readonly<Record<string, string>> = {
  bus: 'par le bus',
  direct: 'par la voie directe',
  peer: 'par un pair',
  journal: 'par le journal d’un répartiteur',
};
const RESULTS: Readonly<Record<string, string>> = {
  'two-sites': 'deux sites l’ont sur disque',
  'one-site': 'un seul site l’a sur disque',
  stored: 'écrite',
  duplicate: 'déjà connue',
  conflict: 'autre contenu sous ce numéro',
};
const STATES: Readonly<Record<string, string>> = {
  open: 'interrompue, reprendra',
  done: 'terminée',
  expired: 'expirée',
  cancelled: 'annulée',
  journaled: 'conservée, non envoyée',
};
const ACTIONS: Readonly<Record<string, string>> = {
  shown: 'affichée',
  replaced: 'mise à jour',
  'taken-down': 'retirée',
  ignored: 'déjà connue',
};
const TRACES: Readonly<Record<string, string>> = {
  other: ', sous une autre trace',
  none: ', sans trace',
};

const node = (kind: string, name: string) => `${KINDS[kind] ?? kind} ${name}`;
const target = (e: EventFacts) =>
  e.target === 'bus' ? `bus du site ${e.site}` : node(e.target, e.node);
const times = (e: EventFacts) =>
  e.count === 1 ? '' : ` (${number(e.count)} fois${e.last === '' ? '' : `, jusqu’à ${e.last}`})`;
const upTo = (e: EventFacts) => (e.last === '' ? '' : `, jusqu’à ${e.last}`);
const accepted = (what: string) => (e: EventFacts) => `${e.transport} : ${what}`;

const EVENTS: Readonly<Record<string, (e: EventFacts) => string>> = {
  written: () => 'vérifiée, signée, écrite sur disque ; les envois commencent',
  'lane-acknowledged': (e) => `${target(e)} l’a sur disque`,
  'lane-failed': (e) => `${target(e)} n’a pas confirmé${times(e)}`,
  'lane-conflict': (e) => `${target(e)} a un autre contenu sous ce numéro`,
  accepted: (e) => `acceptée (202)${e.result === '' ? '' : ` : ${RESULTS[e.result] ?? e.result}`}`,
  'not-accepted': () => 'refusée : aucun site n’a confirmé',
  repeated: (e) => `même message reçu à nouveau, même réponse${times(e)}`,
  arrived: (e) =>
    `arrivée ${LANES[e.lane] ?? e.lane}${e.result === 'stored' ? '' : ` (${RESULTS[e.result] ?? e.result})`}${times(e)}`,
  'taken-up-again': () => 'reprise là où elle en était (le processus avait été arrêté)',
  'peer-unanswering': (e) => `le répartiteur ${e.node} ne répond plus${times(e)}`,
  'peer-answering': (e) => `le répartiteur ${e.node} répond à nouveau${times(e)}`,
  started: (e) => `${e.transport} : diffusion commencée`,
  'first-accepted': accepted('premier envoi accepté par le fournisseur'),
  'p50-accepted': accepted('50 % acceptés'),
  'p95-accepted': accepted('95 % acceptés'),
  'p99-accepted': accepted('99 % acceptés'),
  'last-accepted': (e) => `${e.transport} : dernier accepté, ${number(e.count)} en tout`,
  retried: (e) => `${e.transport} : ${many(e.count, 'envoi retenté', 'envois retentés')}${upTo(e)}`,
  'taken-over': (e) =>
    `${e.transport} : reprend ${many(e.count, 'lot', 'lots')} que le répartiteur ${e.node} avait laissé${e.count > 1 ? 's' : ''}${upTo(e)}`,
  completed: (e) =>
    `${e.transport === '' ? '' : `${e.transport} : `}diffusion ${STATES[e.state] ?? e.state}`,
  'ended-by-other': () => 'une annulation ou une mise à jour y met fin',
  'on-page': () => 'sur la page publique',
  'page-read': (e) => `sa page est lue${times(e)}`,
  'device-receipt': (e) =>
    `${e.transport} : ${many(e.count, 'reçu', 'reçus')} d’appareils, ${ACTIONS[e.action] ?? e.action}${upTo(e)}${TRACES[e.trace] ?? ''}`,
  witnessed: (e) =>
    `${e.transport} : reçue et vérifiée par la sonde ${e.probe}, envoyée par ${e.node}`,
};

/** What `tocsin trace` says, in French. */
export const TRACE_FRENCH = {
  seconds,
  node,
  event: (name: string, e: EventFacts) => EVENTS[name]?.(e) ?? name,
  title: (id: string, zeroAt: string | undefined) =>
    `Message ${id}${zeroAt === undefined ? '' : `, acceptée le ${zeroAt}`} ; secondes depuis l’acceptation`,
  traceId: (id: string) => `Trace ${id}`,
  fromSignature:
    'Aucun ingest qui l’a prise ne répond : les secondes comptent depuis la signature.',
  saidBy: (name: string) => ` (dit par ${name})`,
  noAnswer: (nodes: string) =>
    `SANS RÉPONSE : ${nodes}. Ils ont pu faire plus que ce qui est écrit ici.`,
  refusedBy: (nodes: string) =>
    `Ont refusé de répondre : ${nodes}. Vérifiez internalTokenFile de la configuration.`,
  unknown: (nodes: string) => `Ne connaissent pas ce message : ${nodes}.`,
  clock: (reference: string, off: string) =>
    `Horloges comparées par ${reference}, à une demi-seconde près : ${off === '' ? 'toutes d’accord' : `corrigées de ${off}`}.`,
  noClock: 'Aucun veilleur ne répond : les horloges sont prises comme elles sont.',
  badId: 'Le numéro d’un message a 32 caractères de 0 à 9 et de a à f.',
  nobody: 'Aucun service ne répond.',
  nobodyKnows: (id: string) => `Aucun des services qui répondent ne connaît le message ${id}.`,
  help: {
    trace: 'ce que chaque service a fait du message ID, seconde par seconde',
    json: 'en JSON',
  },
};

export type TraceTexts = typeof TRACE_FRENCH;
