import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';
import { topicLanguage, topicsOfAreas } from './topic-name.ts';

/** What this node has seen to for a device: its token and the topics that it is in, or is about to be. */
export interface Membership {
  readonly token: string;
  readonly topics: readonly string[];
}

/** A token is to be in a topic, or out of it. */
export interface TopicChange {
  readonly change: 'add' | 'remove';
  readonly topic: string;
  readonly token: string;
}

export interface MembershipDecision {
  /** What to remember of the device from now on; undefined: nothing. */
  readonly next: Membership | undefined;
  readonly changes: readonly TopicChange[];
}

/** The membership that a record wants; undefined when the device is not one for topics: no FCM address, or a probe. */
function wantedMembership(
  record: RegistryRecord,
  languages: readonly string[],
): Membership | undefined {
  if (record.state === 'removed' || record.probe) return undefined;
  const { address, areaCodes, language } = record.subscription;
  if (address.transport !== 'fcm') return undefined;
  const topics = topicsOfAreas(areaCodes, topicLanguage(language, languages));
  return topics.length === 0 ? undefined : { token: address.token, topics };
}

/**
 * What has to change for one device; undefined when nothing has. Pure.
 *
 * A device is looked after by the node whose share it is in and by each one that ever put it into a topic: who knows of
 * a membership ends it. Somebody whom the provider called gone is forgotten without a word: a dead token is in no topic,
 * and if the provider was wrong the topics still reach them. That the registry does not know a device is no reason to
 * do anything: topics are there for the day on which it has lost its own.
 */
export function decideMembership(
  record: RegistryRecord,
  known: Membership | undefined,
  { isOwn, languages }: { readonly isOwn: boolean; readonly languages: readonly string[] },
): MembershipDecision | undefined {
  const wanted = wantedMembership(record, languages);
  if (known === undefined) {
    if (wanted === undefined || !isOwn) return undefined;
    return { next: wanted, changes: changesOf('add', wanted.topics, wanted.token) };
  }
  if (record.state === 'removed' && record.reason === 'gone')
    return { next: undefined, changes: [] };
  const isSameToken = wanted?.token === known.token;
  const left = known.topics.filter((topic) => !wanted?.topics.includes(topic));
  const joined =
    wanted?.topics.filter((topic) => !isSameToken || !known.topics.includes(topic)) ?? [];
  if (isSameToken && left.length === 0 && joined.length === 0) return undefined;
  // A new token may be of the same installation, which is still in the old one's topics: it leaves by both.
  const leaving = wanted === undefined || isSameToken ? [known.token] : [known.token, wanted.token];
  return {
    next: wanted,
    changes: [
      ...leaving.flatMap((token) => changesOf('remove', left, token)),
      ...(wanted ? changesOf('add', joined, wanted.token) : []),
    ],
  };
}

function changesOf(
  change: TopicChange['change'],
  topics: readonly string[],
  token: string,
): TopicChange[] {
  return topics.map((topic) => ({ change, topic, token }));
}
