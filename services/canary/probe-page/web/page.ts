import { config as configureZod } from 'zod';
import { keepTogether } from '../../page/html.ts';
import { canaryKeys } from './canary.ts';
import { becomeReceiver, keepSubscribed } from './receiver.ts';
import { keepScreenOn, reload, stayAlive } from './stay-alive.ts';
import { type Identity, type Received, read } from './store.ts';
import {
  type Both,
  formatAge,
  type Limits,
  limitsOf,
  messageOf,
  outcomeOf,
  refusalOf,
  stateOf,
  wordOf,
} from './view.ts';

configureZod({ jitless: true });

/** When nothing has come for so long, the subscription is looked at again; after three times as long the page starts anew. */
const HEAL_AFTER_PERIODS = 5;
const READ_EVERY_MS = 5_000;

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

const root = document.documentElement;
const form = element('enrol', HTMLFormElement);
const button = element('start', HTMLButtonElement);
const codeInput = element('code', HTMLInputElement);

let limits: Limits = limitsOf(60);
let periodMs = 60_000;
let watchingSinceMs = Date.now();
let last: Received | undefined;
let healedMs = 0;

/** French in one line, English in the next. */
function say(id: string, text: Both | undefined): void {
  const target = element(id, HTMLElement);
  const line = (language: 'fr' | 'en') => {
    const span = document.createElement('span');
    span.lang = language;
    span.textContent = keepTogether(text?.[language] ?? '');
    return span;
  };
  target.replaceChildren(...(text ? [line('fr'), line('en')] : []));
}

function show(view: 'enrol' | 'watch' | 'unsupported'): void {
  root.dataset['view'] = view;
  for (const id of ['enrol', 'watch', 'unsupported']) element(id, HTMLElement).hidden = id !== view;
}

function showAge(): void {
  const nowMs = Date.now();
  const ageMs = last && nowMs - last.atMs;
  const state = stateOf(ageMs, nowMs - watchingSinceMs, limits);
  root.dataset['state'] = state;
  const word = wordOf(state);
  if (element('word', HTMLElement).dataset['of'] !== state) say('word', word);
  element('word', HTMLElement).dataset['of'] = state;
  element('age', HTMLElement).textContent = formatAge(ageMs ?? nowMs - watchingSinceMs);
  if (root.dataset['view'] === 'watch') void heal(ageMs ?? nowMs - watchingSinceMs, nowMs);
}

/** The receiver's own remedies. They prove nothing: only the next message does. */
async function heal(silenceMs: number, nowMs: number): Promise<void> {
  if (silenceMs < HEAL_AFTER_PERIODS * periodMs || nowMs - healedMs < HEAL_AFTER_PERIODS * periodMs)
    return;
  healedMs = nowMs;
  const worker = await navigator.serviceWorker.ready;
  await Promise.allSettled([worker.update(), keepSubscribed(worker.pushManager)]);
  if (silenceMs > 3 * HEAL_AFTER_PERIODS * periodMs) await reload();
}

async function readAll(): Promise<void> {
  const [identity, newest, real, bad] = await Promise.all([
    read('identity'),
    read('last'),
    read('real'),
    read('bad'),
  ]);
  last = newest;
  say('what', last && messageOf(last));
  say('handed', last && outcomeOf(last));
  element('handed', HTMLElement).dataset['outcome'] = last?.outcome ?? '';
  say('real', real && messageOf(real));
  say('bad', bad && refusalOf(bad));
  if (identity?.name === undefined && root.dataset['view'] === 'watch') {
    show('enrol');
    say('problem', last && outcomeOf(last));
  }
  showAge();
}

async function watch(identity: Identity): Promise<void> {
  element('name', HTMLElement).textContent = `${identity.name} · ${identity.label}`;
  watchingSinceMs = Date.now();
  show('watch');
  const worker = await navigator.serviceWorker.ready;
  // What the canary does not answer now is asked again while nothing comes.
  await keepSubscribed(worker.pushManager).catch(() => undefined);
  const keys = await canaryKeys().catch(() => undefined);
  if (keys) {
    periodMs = keys.periodSeconds * 1000;
    limits = limitsOf(keys.periodSeconds);
  }
  await readAll();
}

async function start(): Promise<void> {
  if (!(await canReceive())) {
    show('unsupported');
    return;
  }
  codeInput.value = location.hash.slice(1, 21);
  await navigator.serviceWorker.register('/probe-sw.js', { scope: '/probe' });
  navigator.serviceWorker.addEventListener('message', () => void readAll());
  setInterval(() => void readAll(), READ_EVERY_MS);
  setInterval(showAge, 1_000);
  const identity = await read('identity');
  if (identity?.name === undefined) show('enrol');
  else await watch(identity);
}

/** Push, storage, and the signatures of messages and receipts: without one of them it would be no receiver. */
async function canReceive(): Promise<boolean> {
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window))
    return false;
  try {
    await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
    return true;
  } catch {
    return false;
  }
}

async function onSubmit(): Promise<void> {
  // Asked first: browsers want the question right after the press.
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') {
    say('problem', {
      fr: 'Les notifications sont bloquées pour ce site : autorisez-les dans les réglages du navigateur.',
      en: 'Notifications are blocked for this site: allow them in the browser’s settings.',
    });
    return;
  }
  button.disabled = true;
  try {
    const worker = await navigator.serviceWorker.ready;
    const label = element('label', HTMLInputElement).value.trim();
    const identity = await becomeReceiver(worker.pushManager, codeInput.value.trim(), label);
    history.replaceState(null, '', '/probe');
    say('problem', undefined);
    await watch(identity);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say('problem', { fr: `Cela n’a pas marché : ${reason}`, en: 'It did not work.' });
  } finally {
    button.disabled = false;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void onSubmit();
});
stayAlive();
keepScreenOn((isOn) =>
  say(
    'lock',
    isOn
      ? { fr: 'L’écran reste allumé.', en: 'The screen stays on.' }
      : {
          fr: 'L’écran peut s’éteindre : réglez-le sur l’appareil.',
          en: 'The screen may go dark: set it on the device.',
        },
  ),
);
void start();
