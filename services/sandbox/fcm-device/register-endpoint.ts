import { z } from 'zod';
import { createFcmToken, type FcmDevices } from '../fcm-devices.ts';
import { headerOf, type ProviderAnswer, type ProviderRequest } from '../provider-answer.ts';
import { isApplicationServerKey } from '../vapid.ts';
import type { Installations } from './installations.ts';
import type { FcmDeviceStore, RegistrationKey } from './store.ts';

export const REGISTER_PATH = '/c2dm/register3';
/** A form with an installation's token in it. */
export const MAX_REGISTER_BODY_BYTES = 16 * 1024;

interface RegisterDeps {
  readonly store: FcmDeviceStore;
  readonly devices: Pick<FcmDevices, 'register' | 'setState'>;
  readonly installations: Pick<Installations, 'isValid'>;
  /** Number of the one project; tokens for another one are given, and messages to them refused. */
  readonly senderId: string;
}

/** The words that matter; clients send many more. */
const Form = z.object({
  app: z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,199}$/),
  device: z.string().regex(/^\d{1,20}$/),
  sender: z.string().max(200).default(''),
  'X-subtype': z.string().max(500).default(''),
  subtype: z.string().max(500).default(''),
  delete: z.string().max(10).default(''),
  'X-Goog-Firebase-Installations-Auth': z.string().max(2_000).default(''),
});
type Form = z.infer<typeof Form>;

const PROJECT_NUMBER = /^\d{1,20}$/;

/** Google answers in one line of text: `token=…`, `deleted=…` or `Error=…`, most errors with 200. */
const say = (line: string, status = 200): ProviderAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=UTF-8' },
  bytes: Buffer.from(line),
});

/**
 * Google's registration (android.clients.google.com/c2dm/register3). A browser's sender is a VAPID key, and the token
 * becomes the end of its push endpoint; an app's sender is a project number, the token is one for messages:send, and the
 * app has to be a Firebase installation (Google, since June 2024).
 */
export function createRegisterEndpoint(
  deps: RegisterDeps,
): (request: ProviderRequest) => ProviderAnswer {
  return (request) => {
    const parsed = Form.safeParse(Object.fromEntries(new URLSearchParams(String(request.body))));
    if (!parsed.success) return say('Error=INVALID_PARAMETERS');
    const form = parsed.data;
    const [, androidId = '', securityToken = ''] =
      /^AidLogin (\d{1,20}):(\d{1,20})$/.exec(headerOf(request, 'authorization') ?? '') ?? [];
    if (androidId !== form.device || !deps.store.knows({ androidId, securityToken }))
      return say('Error=AUTHENTICATION_FAILED', 401);
    const subtype = form['X-subtype'] || form.subtype;
    const key = { androidId, app: form.app, subtype, sender: form.sender };
    return form.delete === 'true' ? remove(key, deps) : register(key, form, deps);
  };
}

function remove(key: RegistrationKey, { store, devices }: RegisterDeps): ProviderAnswer {
  for (const token of store.remove(key)) devices.setState(token, 'unregistered');
  // Google names the app, or the sender whose token it was (Chromium takes the first for an app, the other for one token).
  return say(key.sender === '' ? `deleted=${key.app}` : `token=${key.sender}`);
}

function register(key: RegistrationKey, form: Form, deps: RegisterDeps): ProviderAnswer {
  const { store, devices, installations, senderId } = deps;
  const isWeb = isApplicationServerKey(key.sender);
  if (!isWeb && !PROJECT_NUMBER.test(key.sender)) return say('Error=INVALID_SENDER');
  if (!isWeb && !installations.isValid(form['X-Goog-Firebase-Installations-Auth']))
    return say('Error=FIS_AUTH_ERROR');
  const known = store.same(key);
  if (known) return say(`token=${known.token}`);
  const token = isWeb ? createFcmToken() : devices.register();
  if (!store.add({ ...key, token, kind: isWeb ? 'web' : 'native' })) {
    devices.setState(token, 'unregistered');
    return say('Error=TOO_MANY_REGISTRATIONS');
  }
  if (!isWeb && key.sender !== senderId) devices.setState(token, 'sender-id-mismatch');
  return say(`token=${token}`);
}
