/** What the script says; the page itself is written by the server. */
const FRENCH = {
  idle: 'Cet appareil ne reçoit pas encore les alertes. Choisissez au moins un lieu.',
  subscribed: (areas: string) =>
    `Abonné\u00a0: ${areas}. Cet appareil recevra les alertes, même page fermée.`,
  working: 'Un instant…',
  busy: (seconds: number) =>
    `Beaucoup de monde en ce moment\u00a0: nouvel essai dans ${seconds} s. Laissez cette page ouverte.`,
  unsubscribed: 'Désabonné. Cet appareil ne recevra plus les alertes.',
  unsupported:
    'Ce navigateur ne sait pas recevoir les alertes. Utilisez une version récente de Firefox, Chrome, Edge ou Safari, hors navigation privée.',
  denied: 'Les notifications sont bloquées pour ce site\u00a0: aucune alerte ne peut s’afficher.',
  dismissed:
    'Les notifications n’ont pas été autorisées. Réessayez et choisissez «\u00a0Autoriser\u00a0».',
  noArea: 'Choisissez au moins un lieu.',
  badCode:
    'Ce n’est pas un code INSEE\u00a0: 5 caractères pour une commune (06088), 2 ou 3 pour un département (06).',
  failed: (reason: string) => `L’abonnement n’a pas abouti\u00a0: ${reason}. Réessayez.`,
  change: 'Enregistrer les lieux',
  subscribe: 'S’abonner aux alertes',
  received: (headline: string) => `Alerte reçue\u00a0: ${headline}`,
  cancelled: (headline: string) => `Alerte annulée\u00a0: ${headline}`,
};

export type ScriptTexts = typeof FRENCH;

const ENGLISH: ScriptTexts = {
  idle: 'This device does not receive alerts yet. Choose at least one place.',
  subscribed: (areas) =>
    `Subscribed: ${areas}. This device will receive alerts, even with the page closed.`,
  working: 'One moment…',
  busy: (seconds) => `Many people at the moment: next try in ${seconds} s. Keep this page open.`,
  unsubscribed: 'Unsubscribed. This device will not receive alerts any more.',
  unsupported:
    'This browser cannot receive alerts. Use a recent Firefox, Chrome, Edge or Safari, not in private browsing.',
  denied: 'Notifications are blocked for this site: no alert can be shown.',
  dismissed: 'Notifications were not allowed. Try again and choose “Allow”.',
  noArea: 'Choose at least one place.',
  badCode:
    'This is no INSEE code: 5 characters for a commune (06088), 2 or 3 for a department (06).',
  failed: (reason) => `The subscription failed: ${reason}. Try again.`,
  change: 'Save the places',
  subscribe: 'Subscribe to alerts',
  received: (headline) => `Alert received: ${headline}`,
  cancelled: (headline) => `Alert cancelled: ${headline}`,
};

export function scriptTexts(language: string): ScriptTexts {
  return language.startsWith('en') ? ENGLISH : FRENCH;
}
