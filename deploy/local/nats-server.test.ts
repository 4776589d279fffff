import { expect, test } from '@jest/globals';
import { debianMirror } from './nats-download.ts';
import { firstFit, NatsServerError, type NatsSource, natsSources } from './nats-server.ts';

const source = (name: string, path: string | undefined | Error): NatsSource => ({
  name,
  find: async () => {
    if (path instanceof Error) throw path;
    return path;
  },
});
const fitIf = (good: string) => async (path: string) => {
  if (path !== good) throw new Error(`${path} is too old`);
  return '2.14.5';
};

test('the order is: named by the user, PATH, kept copy, Debian, official release, Docker', () => {
  const names = natsSources({ env: {}, binDir: '/x', stateDir: '/y' }).map(({ name }) => name);
  expect(names).toEqual([
    'NATS_SERVER',
    'PATH',
    'the copy kept from before',
    "Debian's newer suite",
    'the official release',
    'Docker',
  ]);
});

test('the first fit server wins; an old one on PATH is said and passed over', async () => {
  const said: string[] = [];
  const sources = [
    source('none', undefined),
    source('PATH', '/old'),
    source('copy', '/new'),
    source('later', '/never'),
  ];
  const found = await firstFit(sources, (line) => said.push(line), fitIf('/new'));
  expect(found).toEqual({ path: '/new', version: '2.14.5', source: 'copy' });
  expect(said).toEqual(['  not from PATH: /old is too old']);
});

test('a server that the user named is never replaced by another one', async () => {
  const sources = [{ ...source('NATS_SERVER', '/old'), binding: true }, source('PATH', '/new')];
  await expect(firstFit(sources, () => undefined, fitIf('/new'))).rejects.toThrow(
    'NATS_SERVER: /old is too old',
  );
});

test('when nothing works, one error lists what was tried and what to do', async () => {
  const sources = [source('PATH', undefined), source('Debian', new Error('no network'))];
  const error = await firstFit(sources, () => undefined, fitIf('/new')).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NatsServerError);
  expect(String(error)).toMatch(
    /PATH: none there\n {2}Debian: no network\nWhat to do: .*NATS_SERVER=/,
  );
});

test.each([
  [
    'http://deb.debian.org/debian/ bookworm\nhttp://x.example/debian-security/ bookworm-security',
    'http://deb.debian.org/debian/',
  ],
  [
    'https://deb.nodesource.com/node_20.x/ nodistro\nhttp://mirror.example/debian trixie',
    'http://mirror.example/debian',
  ],
  ['http://deb.debian.org/debian/ bookworm-updates', undefined],
  ['http://archive.ubuntu.com/ubuntu/ noble', undefined],
  ['', undefined],
])('the Debian mirror in %j is %s', (lines, mirror) => {
  expect(debianMirror(lines)).toBe(mirror);
});
