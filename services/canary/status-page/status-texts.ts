import type { Language } from '../page/texts.ts';
import type { Device, DeviceStatus, StatusReport } from './status-report.ts';

/** Every word of the public page: for people who have never heard of a dispatcher. */
export interface StatusTexts {
  readonly title: string;
  readonly headline: Readonly<Record<StatusReport['state'], string>>;
  readonly meaning: Readonly<Record<StatusReport['state'], string>>;
  readonly how: string;
  readonly devices: Readonly<Record<Device, readonly [name: string, what: string]>>;
  readonly states: Readonly<Record<DeviceStatus['state'], string>>;
  readonly lastProof: string;
  readonly neverProved: string;
  readonly ago: readonly [before: string, after: string];
  readonly byDevice: string;
  readonly history: string;
  readonly historyHelp: string;
  readonly days: string;
  readonly day: string;
  readonly unproved: string;
  readonly notMeasured: string;
  readonly noneLost: string;
  readonly minutes: (count: number) => string;
  readonly daysSummary: (device: string, whole: number, bad: number, unknown: number) => string;
  readonly samples: readonly [
    none: string,
    few: string,
    hour: string,
    more: string,
    unknown: string,
  ];
  readonly writtenAt: (instant: string, utc: string) => string;
  readonly staleRule: string;
  readonly stale: string;
  readonly staleMeaning: string;
  readonly demonstration: string;
  readonly danger: string;
  readonly data: string;
  readonly otherLanguage: string;
  readonly otherFile: string;
}

const FRENCH: StatusTexts = {
  title: 'Les alertes arrivent-elles ?',
  headline: {
    proved: 'Les alertes arrivent',
    partly: 'Les alertes n’arrivent pas sur tous les appareils',
    unproved: 'Rien ne prouve que les alertes arrivent',
    'not-measured': 'On ne sait pas encore si les alertes arrivent',
  },
  meaning: {
    proved: 'Un message d’essai vient d’être reçu et vérifié sur chaque sorte d’appareil.',
    partly: 'Sur certains appareils, les essais n’arrivent pas. Nous y travaillons.',
    unproved: 'Les essais n’arrivent plus. Nous y travaillons.',
    'not-measured': 'Aucun essai n’est encore arrivé.',
  },
  how: 'Chaque minute, nous envoyons un message d’essai par le même chemin qu’une vraie alerte, à des récepteurs qui sont à nous. Vous ne le voyez pas. Ce n’est que lorsqu’un récepteur l’a reçu et vérifié que nous disons que les alertes arrivent.',
  devices: {
    android: ['Téléphones Android', 'avec l’application'],
    browser: ['Navigateurs web', 'et téléphones sans services Google'],
  },
  states: {
    proved: 'les essais arrivent',
    unproved: 'les essais n’arrivent plus',
    'not-measured': 'on ne sait pas encore',
  },
  lastProof: 'Dernier essai reçu',
  neverProved: 'aucun essai reçu',
  ago: ['il y a ', ''],
  byDevice: 'Par sorte d’appareil',
  history: 'Les 30 derniers jours',
  historyHelp: 'Minutes sans preuve de chaque jour, aujourd’hui à droite :',
  days: 'Les jours où des minutes manquent',
  day: 'jour',
  unproved: 'sans preuve',
  notMeasured: 'non mesuré',
  noneLost: 'Aucune minute ne manque.',
  minutes: (count) => (count >= 120 ? `${Math.round(count / 60)} h` : `${count} min`),
  daysSummary: (device, whole, bad, unknown) =>
    `${device}, 30 jours : ${whole} sans minute perdue, ${bad} avec des minutes sans preuve, ${unknown} non mesurés`,
  samples: ['aucune', 'jusqu’à 5', 'jusqu’à 60', 'plus d’une heure', 'jour non mesuré'],
  writtenAt: (instant, utc) => `Page écrite le ${instant} (heure de Paris ; ${utc} UTC).`,
  staleRule: 'Si c’était il y a plus de cinq minutes, personne ne sait si les alertes arrivent.',
  stale: 'PERSONNE NE SAIT si les alertes arrivent',
  staleMeaning: 'Cette page n’est plus à jour. Elle date d’il y a',
  demonstration:
    'Démonstration : ces essais ne vont qu’à des appareils simulés, sur une seule machine.',
  danger:
    'Danger immédiat : appelez le 112. Les sirènes, la radio et FR-Alert ne dépendent pas de ce service.',
  data: 'Ces données en JSON',
  otherLanguage: 'English',
  otherFile: 'index.en.html',
};

const ENGLISH: StatusTexts = {
  title: 'Do alerts arrive?',
  headline: {
    proved: 'Alerts arrive',
    partly: 'Alerts do not arrive on every device',
    unproved: 'Nothing proves that alerts arrive',
    'not-measured': 'It is not known yet whether alerts arrive',
  },
  meaning: {
    proved: 'A test message was just received and verified on every kind of device.',
    partly: 'On some devices tests do not arrive. We are working on it.',
    unproved: 'Tests no longer arrive. We are working on it.',
    'not-measured': 'No test has arrived yet.',
  },
  how: 'Every minute we send a test message the same way as a real alert, to receivers of our own. You do not see it. Only when a receiver has got it and verified it do we say that alerts arrive.',
  devices: {
    android: ['Android phones', 'with the app'],
    browser: ['Web browsers', 'and phones without Google services'],
  },
  states: {
    proved: 'tests arrive',
    unproved: 'tests no longer arrive',
    'not-measured': 'not known yet',
  },
  lastProof: 'Last test received',
  neverProved: 'no test received',
  ago: ['', ' ago'],
  byDevice: 'By kind of device',
  history: 'The last 30 days',
  historyHelp: 'Minutes without proof on each day, today at the right:',
  days: 'Days with minutes missing',
  day: 'day',
  unproved: 'without proof',
  notMeasured: 'not measured',
  noneLost: 'No minute is missing.',
  minutes: (count) => (count >= 120 ? `${Math.round(count / 60)} h` : `${count} min`),
  daysSummary: (device, whole, bad, unknown) =>
    `${device}, 30 days: ${whole} without a lost minute, ${bad} with minutes without proof, ${unknown} not measured`,
  samples: ['none', 'up to 5', 'up to 60', 'more than an hour', 'day not measured'],
  writtenAt: (instant, utc) => `Page written on ${instant} (Paris time; ${utc} UTC).`,
  staleRule: 'If that is more than five minutes ago, nobody knows whether alerts arrive.',
  stale: 'NOBODY KNOWS whether alerts arrive',
  staleMeaning: 'This page is out of date. It was written this long ago:',
  demonstration: 'Demonstration: these tests go to simulated devices only, on one machine.',
  danger: 'In immediate danger call 112. Sirens, radio and FR-Alert do not depend on this service.',
  data: 'These data as JSON',
  otherLanguage: 'Français',
  otherFile: 'index.fr.html',
};

export function statusTextsFor(language: Language): StatusTexts {
  return language === 'fr' ? FRENCH : ENGLISH;
}
