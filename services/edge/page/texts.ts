import type { Severity } from '../../../shared/alert/cap-values.ts';
import type { AlertState } from '../alerts/alert-state.ts';

export type PageLanguage = 'fr' | 'en';

/** Communes and the department offered by name; any other is typed as its INSEE code. */
export const QUICK_AREAS: readonly { readonly code: string; readonly name: string }[] = [
  { code: '06', name: 'Alpes-Maritimes (06)' },
  { code: '06088', name: 'Nice' },
  { code: '06029', name: 'Cannes' },
  { code: '06004', name: 'Antibes' },
  { code: '06027', name: 'Cagnes-sur-Mer' },
  { code: '06069', name: 'Grasse' },
];

const FRENCH = {
  title: 'Tocsin — alertes aux populations',
  description:
    'Recevez l’alerte de la préfecture sur cet appareil, même quand cette page est fermée.',
  skip: 'Aller au contenu',
  languages: 'Langue',
  hero: 'Être averti, tout de suite.',
  lead: 'L’alerte de la préfecture arrive sur cet appareil, même quand cette page est fermée.',
  currentTitle: 'Alertes en cours',
  calm: 'Aucune alerte en cours.',
  endedTitle: 'Alertes terminées',
  subscribeTitle: 'Recevoir les alertes',
  where: 'Où voulez-vous être averti ?',
  otherCode: 'Autre commune ou département',
  codeHelp:
    'Code INSEE de la commune (5 caractères, par exemple 06088 pour Nice ; ce n’est pas le code postal) ou numéro du département (06, 2A, 974).',
  add: 'Ajouter',
  subscribe: 'S’abonner aux alertes',
  unsubscribe: 'Se désabonner',
  noScript:
    'Pour recevoir les alertes sur cet appareil, activez JavaScript. Les alertes ci-dessus se lisent sans.',
  deniedTitle: 'Autoriser de nouveau les notifications',
  deniedSteps: [
    'Ouvrez les informations du site (à gauche de l’adresse) ou les réglages du navigateur.',
    'Dans « Notifications », choisissez « Autoriser » pour ce site.',
    'Revenez ici et rechargez la page.',
  ],
  iosTitle: 'Sur iPhone et iPad',
  ios: 'Touchez « Partager », puis « Sur l’écran d’accueil ». Ouvrez Tocsin depuis cette icône et abonnez-vous.',
  howTitle: 'Ce que nous gardons',
  how: [
    'Ni compte, ni position : seulement les communes choisies et l’adresse technique de réception.',
    'Chaque alerte est signée. Votre appareil vérifie la signature et n’affiche rien d’autre.',
    'En danger immédiat, appelez le 112. Cette page ne remplace pas les secours.',
  ],
  footer: 'Tocsin, service d’alerte redondant.',
  states: {
    active: 'En cours',
    cancelled: 'Annulée',
    replaced: 'Remplacée',
    expired: 'Terminée',
  } satisfies Record<AlertState, string>,
  severities: {
    Extreme: 'Danger extrême',
    Severe: 'Danger grave',
    Moderate: 'Danger modéré',
    Minor: 'Danger mineur',
    Unknown: 'Gravité inconnue',
  } satisfies Record<Severity, string>,
  exercise: 'EXERCICE',
  cancelMessage: 'Alerte annulée',
  updateMessage: 'Mise à jour',
  whatToDo: 'Que faire',
  area: 'Où',
  issued: 'Émise',
  until: 'Valable jusqu’au',
  by: 'Par',
  more: 'Lire l’alerte',
  back: 'Toutes les alertes',
};

export type PageTexts = typeof FRENCH;

const ENGLISH: PageTexts = {
  title: 'Tocsin — public alerts',
  description: 'Get the prefecture’s alerts on this device, even when this page is closed.',
  skip: 'Skip to content',
  languages: 'Language',
  hero: 'Be warned, at once.',
  lead: 'The prefecture’s alert reaches this device, even when this page is closed.',
  currentTitle: 'Current alerts',
  calm: 'No alert at the moment.',
  endedTitle: 'Past alerts',
  subscribeTitle: 'Receive alerts',
  where: 'Where do you want to be warned?',
  otherCode: 'Another commune or department',
  codeHelp:
    'INSEE code of the commune (5 characters, such as 06088 for Nice; not the postal code) or number of the department (06, 2A, 974).',
  add: 'Add',
  subscribe: 'Subscribe to alerts',
  unsubscribe: 'Unsubscribe',
  noScript:
    'To receive alerts on this device, turn JavaScript on. The alerts above can be read without.',
  deniedTitle: 'Allow notifications again',
  deniedSteps: [
    'Open the site information (left of the address) or the browser’s settings.',
    'Under “Notifications”, choose “Allow” for this site.',
    'Come back here and reload the page.',
  ],
  iosTitle: 'On iPhone and iPad',
  ios: 'Tap “Share”, then “Add to Home Screen”. Open Tocsin from that icon and subscribe.',
  howTitle: 'What we keep',
  how: [
    'No account and no position: only the communes you chose and the technical address for delivery.',
    'Every alert is signed. Your device checks the signature and shows nothing else.',
    'In immediate danger call 112. This page does not replace the emergency services.',
  ],
  footer: 'Tocsin, a redundant alert service.',
  states: { active: 'In force', cancelled: 'Cancelled', replaced: 'Replaced', expired: 'Over' },
  severities: {
    Extreme: 'Extreme danger',
    Severe: 'Severe danger',
    Moderate: 'Moderate danger',
    Minor: 'Minor danger',
    Unknown: 'Severity unknown',
  },
  exercise: 'EXERCISE',
  cancelMessage: 'Alert cancelled',
  updateMessage: 'Update',
  whatToDo: 'What to do',
  area: 'Where',
  issued: 'Issued',
  until: 'Valid until',
  by: 'By',
  more: 'Read the alert',
  back: 'All alerts',
};

export function pageTexts(language: PageLanguage): PageTexts {
  return language === 'fr' ? FRENCH : ENGLISH;
}

/**
 * The page's language: the one chosen by its switch, else the browser's first one of ours, else French. A browser that
 * speaks neither gets what it ranks first, or French.
 */
export function pageLanguage(chosen: unknown, acceptLanguage: string | undefined): PageLanguage {
  if (chosen === 'fr' || chosen === 'en') return chosen;
  for (const part of (acceptLanguage ?? '').split(',')) {
    const language = part.trim().slice(0, 2).toLowerCase();
    if (language === 'fr' || language === 'en') return language;
  }
  return 'fr';
}
