import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../shared/time/clock.ts';

/** A line of ntfy's streams (docs.ntfy.sh/subscribe/api, "JSON message format"). */
export interface TopicMessage {
  readonly id: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly expires?: number;
  readonly event: 'open' | 'keepalive' | 'message';
  readonly topic: string;
  readonly message?: string;
  /** Absent: `message` is the text itself. */
  readonly encoding?: 'base64';
}

/** What a new subscriber is told of before: nothing, all that is kept, what came after a message or since an instant (s). */
export type Since = 'none' | 'all' | { readonly id: string } | { readonly time: number };

export interface Topics {
  readonly publish: (topic: string, body: Buffer) => TopicMessage;
  /** What is kept and newer than `since`, oldest first. */
  readonly kept: (topic: string, since: Since) => readonly TopicMessage[];
  /** Calls `send` for each message from now on; returns how to end it. */
  readonly subscribe: (topic: string, send: (message: TopicMessage) => void) => () => void;
}

/** ntfy keeps messages for twelve hours, in memory unless it is given a file. */
const KEPT_SECONDS = 12 * 3600;
const MAX_KEPT_PER_TOPIC = 200;
const MAX_TOPICS = 1_000;

export function createTopics(now: Clock): Topics {
  const kept = new Map<string, TopicMessage[]>();
  const subscribers = new Map<string, Set<(message: TopicMessage) => void>>();
  const seconds = () => Math.floor(now() / 1000);
  const fresh = (topic: string) =>
    (kept.get(topic) ?? []).filter(({ expires = 0 }) => expires > seconds());
  return {
    publish: (topic, body) => {
      const time = seconds();
      const message: TopicMessage = {
        id: messageId(),
        time,
        expires: time + KEPT_SECONDS,
        event: 'message',
        topic,
        ...bodyFields(body),
      };
      kept.set(topic, [...fresh(topic), message].slice(-MAX_KEPT_PER_TOPIC));
      const [oldest] = kept.keys();
      if (kept.size > MAX_TOPICS && oldest !== undefined) kept.delete(oldest);
      for (const send of subscribers.get(topic) ?? []) send(message);
      return message;
    },
    kept: (topic, since) => newerThan(fresh(topic), since),
    subscribe: (topic, send) => {
      const all = subscribers.get(topic) ?? new Set();
      all.add(send);
      subscribers.set(topic, all);
      return () => {
        all.delete(send);
        if (all.size === 0) subscribers.delete(topic);
      };
    },
  };
}

/** Twelve letters and digits, as ntfy makes them. */
export function messageId(): string {
  return randomBytes(12).toString('base64').replaceAll(/[+/]/g, 'x').slice(0, 12);
}

/** An encrypted body is hardly ever text; one that is goes as it is (ntfy's `handleBodyAsMessageAutoDetect`). */
function bodyFields(body: Buffer): Pick<TopicMessage, 'message' | 'encoding'> {
  try {
    return { message: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { message: body.toString('base64'), encoding: 'base64' };
  }
}

function newerThan(messages: readonly TopicMessage[], since: Since): readonly TopicMessage[] {
  if (since === 'none') return [];
  if (since === 'all') return messages;
  if ('time' in since) return messages.filter(({ time }) => time >= since.time);
  const index = messages.findIndex(({ id }) => id === since.id);
  // An id that is no longer known: everything, as ntfy answers.
  return messages.slice(index + 1);
}
