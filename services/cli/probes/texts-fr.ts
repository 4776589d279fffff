/** A probe page as a canary lists it. */
export interface ListedProbe {
  readonly name: string;
  readonly label: string;
  readonly enrolledAt: string;
  readonly state: string;
  /** Since its last signed receipt. */
  readonly ageSeconds: number | null;
}

const STATES: Readonly<Record<string, string>> = {
  proved: 'prouvée',
  late: 'en retard',
  unproved: 'MUETTE',
  'not-measured': 'rien reçu encore',
};

export const PROBES_FRENCH = {
  help: {
    probes: 'téléphones et kiosques qui servent de sondes (docs/probe-phone.md)',
    code: 'donne un code pour un nouvel appareil',
    list: 'liste les appareils et l’âge de leur dernier reçu signé',
    remove: 'retire un appareil de la liste',
    canary: 'le veilleur ; sans cela le premier',
  },
  code: (canary: string, code: string, page: string, until: string) =>
    [
      `Code : ${code}   (bon une seule fois, jusqu’à ${until} UTC)`,
      `Sur l’appareil, ouvrez la page du veilleur ${canary}, en https : …${page}`,
      'Sur cette machine, pour essayer : ',
    ].join('\n'),
  heading: (canary: string, count: number, limit: number) =>
    `Veilleur ${canary} : ${count} appareil${count < 2 ? '' : 's'} sur ${limit} au plus`,
  line: ({ name, label, state, ageSeconds }: ListedProbe) =>
    `  ${name}  ${label} : ${STATES[state] ?? state}${ageSeconds === null ? '' : `, dernier reçu il y a ${ageSeconds} s`}`,
  removed: (name: string) => `${name} n’est plus sur la liste.`,
  noCanary: 'La configuration ne nomme aucun veilleur de ce nom (canaries).',
};

export type ProbesTexts = typeof PROBES_FRENCH;
