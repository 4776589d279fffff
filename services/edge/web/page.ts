import { browserSubscription } from '../../../shared/browser/push-subscription.ts';
import { readValue, writeValue } from './device-store.ts';
import { refreshKeys } from './keys.ts';
import { chooseArea, chosenAreas, element, typedCode } from './page-elements.ts';
import { deregister, RegistrationError, randomId, register } from './registration.ts';
import { scriptTexts } from './texts.ts';

type State =
  | 'idle'
  | 'working'
  | 'subscribed'
  | 'unsubscribed'
  | 'denied'
  | 'unsupported'
  | 'failed';

const language = document.documentElement.lang;
const texts = scriptTexts(language);
const root = element('subscription', HTMLElement);
const form = element('form', HTMLFormElement);
const subscribeButton = element('subscribe', HTMLButtonElement);
const unsubscribeButton = element('unsubscribe', HTMLButtonElement);
const codeInput = element('code', HTMLInputElement);
const codeError = element('code-error', HTMLElement);

/** Says in words how things stand, and shows the controls that fit. */
function showState(state: State, words: string): void {
  root.dataset['state'] = state;
  element('state', HTMLElement).textContent = words;
  const subscribed = state === 'subscribed';
  subscribeButton.textContent = subscribed ? texts.change : texts.subscribe;
  unsubscribeButton.hidden = !subscribed;
  element('denied', HTMLElement).hidden = state !== 'denied';
  form.hidden = state === 'denied' || state === 'unsupported';
  form.toggleAttribute('aria-busy', state === 'working');
  for (const button of [subscribeButton, unsubscribeButton]) button.disabled = state === 'working';
}

/** Push, storage and the signature that alerts carry: without one of them a subscription would be a false promise. */
async function canReceive(): Promise<boolean> {
  if (
    !(
      'serviceWorker' in navigator &&
      'PushManager' in window &&
      'Notification' in window &&
      'indexedDB' in window
    )
  )
    return false;
  try {
    await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
    return true;
  } catch {
    return false;
  }
}

function showSubscribed(): void {
  showState(
    'subscribed',
    texts.subscribed(
      chosenAreas()
        .map(({ name }) => name)
        .join(', '),
    ),
  );
}

async function start(): Promise<void> {
  root.hidden = false;
  if (!(await canReceive())) {
    showState('unsupported', texts.unsupported);
    element('ios', HTMLElement).hidden = !/iPhone|iPad/.test(navigator.userAgent);
    return;
  }
  if (Notification.permission === 'denied') {
    showState('denied', texts.denied);
    return;
  }
  navigator.serviceWorker.addEventListener('message', onWorkerMessage);
  const registration = await navigator.serviceWorker.register('/sw.js');
  const profile = await readValue('profile');
  const subscription = await registration.pushManager.getSubscription();
  for (const code of profile?.areaCodes ?? []) chooseArea(code);
  if (profile && subscription) showSubscribed();
  else showState('idle', texts.idle);
}

async function subscribe(): Promise<void> {
  const areas = chosenAreas();
  if (areas.length === 0) {
    codeError.textContent = texts.noArea;
    codeInput.focus();
    return;
  }
  codeError.textContent = '';
  // Asked first: browsers want the question right after the press.
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') {
    const denied = permission === 'denied';
    showState(denied ? 'denied' : 'idle', denied ? texts.denied : texts.dismissed);
    return;
  }
  showState('working', texts.working);
  const keys = await refreshKeys();
  if (!keys) throw new RegistrationError('/v1/keys');
  const worker = await navigator.serviceWorker.ready;
  const subscription = await browserSubscription(worker.pushManager, keys.vapidPublicKey);
  const known = await readValue('profile');
  const profile = {
    deviceId: known?.deviceId ?? randomId(),
    deviceSecret: known?.deviceSecret ?? randomId(),
    areaCodes: areas.map(({ code }) => code),
    language: language.startsWith('en') ? 'en-GB' : 'fr-FR',
  };
  // Kept before it is sent: an answer that gets lost must not leave a device that nobody can change.
  await writeValue('profile', profile);
  await register(profile, subscription, (seconds) => showState('working', texts.busy(seconds)));
  showSubscribed();
}

async function unsubscribe(): Promise<void> {
  showState('working', texts.working);
  const profile = await readValue('profile');
  const worker = await navigator.serviceWorker.ready;
  await (await worker.pushManager.getSubscription())?.unsubscribe();
  await writeValue('profile', undefined);
  showState('unsubscribed', texts.unsubscribed);
  element('state', HTMLElement).focus();
  // The browser is deaf already; if this gets lost, the push service answers "gone" to the next alert.
  if (profile) await deregister(profile).catch(() => undefined);
}

function addTypedCode(): void {
  const code = typedCode(codeInput.value);
  codeError.textContent = code === undefined ? texts.badCode : '';
  codeInput.setAttribute('aria-invalid', String(code === undefined));
  if (code === undefined) {
    codeInput.focus();
    return;
  }
  codeInput.value = '';
  chooseArea(code).focus();
}

/** The worker got something: say it and bring the list up to date. */
function onWorkerMessage({ data }: MessageEvent<unknown>): void {
  const { type, decision, message } = (data ?? {}) as {
    type?: string;
    decision?: { action?: string };
    message?: { headline?: string };
  };
  if (
    type !== 'tocsin-received' ||
    message?.headline === undefined ||
    decision?.action === 'refused'
  )
    return;
  const say = decision?.action === 'taken-down' ? texts.cancelled : texts.received;
  element('news', HTMLElement).textContent = say(message.headline);
  void refreshAlerts();
}

/** Takes the list of alerts from a fresh copy of this page. Without a network the one on the screen stays. */
async function refreshAlerts(): Promise<void> {
  const response = await fetch(location.href, { cache: 'no-cache' }).catch(() => undefined);
  if (!response?.ok) return;
  const fresh = new DOMParser()
    .parseFromString(await response.text(), 'text/html')
    .getElementById('alerts');
  const shown = document.getElementById('alerts');
  if (!fresh || !shown || fresh.innerHTML === shown.innerHTML) return;
  shown.replaceWith(document.adoptNode(fresh));
}

function failed(error: unknown): void {
  showState('failed', texts.failed(error instanceof Error ? error.message : String(error)));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  subscribe().catch(failed);
});
unsubscribeButton.addEventListener('click', () => {
  unsubscribe().catch(failed);
});
element('add', HTMLButtonElement).addEventListener('click', addTypedCode);
codeInput.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  addTypedCode();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void refreshAlerts();
});
start().catch(failed);
