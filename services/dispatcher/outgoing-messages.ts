import { levelOf } from '../../shared/alert/level.ts';
import { notificationText } from '../../shared/device/notification-text.ts';
import { DeviceMessage } from '../../shared/envelope/device-message.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { SignatureError, type Verify } from '../../shared/envelope/signature.ts';
import type { OutgoingMessage } from './transports/transport.ts';

/** Texts for systems that show a notification before our code runs are cut to this many characters. */
const MAX_TITLE = 120;
const MAX_BODY = 300;

/**
 * The messages of an envelope by language, each checked to say what the envelope says (P7): same id, audience and
 * content hash, signed by a key of that audience. Rejects with SignatureError.
 */
export async function outgoingMessages(
  envelope: Envelope,
  via: string,
  verifyAlert: Verify,
): Promise<(language: string) => OutgoingMessage> {
  const byLanguage = new Map<string, OutgoingMessage>();
  for (const [language, signedMessage] of Object.entries(envelope.deviceMessages)) {
    const verified = await verifyAlert(signedMessage);
    const message = DeviceMessage.parse(JSON.parse(verified.payload));
    if (
      message.id !== envelope.id ||
      message.contentHash !== envelope.contentHash ||
      message.audience !== envelope.audience ||
      verified.audience !== envelope.audience
    )
      throw new SignatureError(`the message in ${language} is not that of the alert`);
    byLanguage.set(language, toOutgoing(envelope, message, signedMessage, via));
  }
  const [fallback] = byLanguage.values();
  if (!fallback) throw new SignatureError('an envelope without a message for devices');
  return (language) => byLanguage.get(language) ?? sameTongue(byLanguage, language) ?? fallback;
}

function toOutgoing(
  envelope: Envelope,
  message: DeviceMessage,
  signedMessage: string,
  via: string,
): OutgoingMessage {
  const { title, body } = notificationText(message);
  const { msgType } = message;
  return {
    alertId: envelope.id,
    signedMessage,
    via,
    title: title.slice(0, MAX_TITLE),
    body: body.slice(0, MAX_BODY),
    msgType: msgType === 'Update' || msgType === 'Cancel' ? msgType : 'Alert',
    tag: envelope.references[0] ?? envelope.id,
    expiresAtMs: Date.parse(envelope.expiresAt),
    quiet: msgType === 'Cancel' || levelOf(envelope.alert) === 'information',
    isTest: envelope.audience === 'canary',
  };
}

/** fr-BE for somebody who asked for fr-FR. */
function sameTongue(
  byLanguage: ReadonlyMap<string, OutgoingMessage>,
  language: string,
): OutgoingMessage | undefined {
  const tongue = language.split('-')[0];
  for (const [each, message] of byLanguage) if (each.split('-')[0] === tongue) return message;
  return undefined;
}
