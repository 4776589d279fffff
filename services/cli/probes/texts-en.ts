import type { ProbesTexts } from './texts-fr.ts';

const STATES: Readonly<Record<string, string>> = {
  proved: 'proved',
  late: 'late',
  unproved: 'SILENT',
  'not-measured': 'nothing received yet',
};

export const PROBES_ENGLISH: ProbesTexts = {
  help: {
    probes: 'phones and kiosks that serve as probes (docs/probe-phone.md)',
    code: 'gives a code for a new device',
    list: 'lists the devices and the age of their last signed receipt',
    remove: 'takes a device off the list',
    canary: 'the canary; without it the first',
  },
  code: (canary, code, page, until) =>
    [
      `Code: ${code}   (good once, until ${until} UTC)`,
      `On the device, open the page of canary ${canary}, over https: …${page}`,
      'On this machine, to try it: ',
    ].join('\n'),
  heading: (canary, count, limit) =>
    `Canary ${canary}: ${count} device${count === 1 ? '' : 's'} of ${limit} at most`,
  line: ({ name, label, state, ageSeconds }) =>
    `  ${name}  ${label}: ${STATES[state] ?? state}${ageSeconds === null ? '' : `, last receipt ${ageSeconds} s ago`}`,
  removed: (name) => `${name} is no longer on the list.`,
  noCanary: 'The configuration names no canary of this name (canaries).',
};
