import { CANARY_AREA, type Reach, reachOf } from '../../../shared/alert/area.ts';
import { audienceOfStatus } from '../../../shared/alert/audience.ts';
import type { Envelope } from '../../../shared/envelope/envelope.ts';
import { FINEST_SHARDS, finestShard } from '../../../shared/subscription/shard.ts';
import { type TopicOfAlert, topicsOfReach } from './topic-name.ts';

/** Google fans out for at most 1,000 topic messages of a project at a time; half of it for one alert. */
const MOST_TOPICS = 500;

/** As much of an envelope as topics are decided by. */
export type TopicFacts = Pick<Envelope, 'id' | 'audience' | 'path' | 'areaCodes' | 'references'> & {
  readonly alert: Pick<Envelope['alert'], 'status' | 'scope' | 'addresses'>;
};

export interface TopicRules {
  readonly minAudience: number;
  readonly languages: readonly string[];
  /** FCM devices that the alert is for; undefined when the replica does not know: then it may be anybody. */
  readonly audience: (reach: Reach) => number | undefined;
  /** Something of that alert went to topics. */
  readonly wasSent: (alertId: string) => boolean;
}

export type TopicsOfAlert =
  | { readonly decision: 'send'; readonly topics: readonly TopicOfAlert[] }
  | { readonly decision: 'not-public' | 'too-small' | 'too-many-topics' };

/**
 * The topics that an alert goes to. Pure. Only what is for people in every one of its marks (P6): audience, status, scope,
 * no addresses, no path of a canary's, no reserved area. An Update or Cancel goes wherever its alert may have gone, however
 * few they are by now.
 */
export function topicsOfAlert(envelope: TopicFacts, rules: TopicRules): TopicsOfAlert {
  if (!isForPeople(envelope)) return { decision: 'not-public' };
  const reach = reachOf(envelope.areaCodes);
  const audience = rules.audience(reach);
  const isLarge = audience === undefined || audience >= rules.minAudience;
  if (!isLarge && !envelope.references.some(rules.wasSent)) return { decision: 'too-small' };
  const topics = topicsOfReach(reach, rules.languages);
  return topics.length > MOST_TOPICS
    ? { decision: 'too-many-topics' }
    : { decision: 'send', topics };
}

function isForPeople({ audience, path, areaCodes, alert }: TopicFacts): boolean {
  return (
    audience === 'public' &&
    audienceOfStatus(alert.status) === 'public' &&
    alert.scope === 'Public' &&
    alert.addresses === undefined &&
    path === undefined &&
    areaCodes.length > 0 &&
    !areaCodes.includes(CANARY_AREA)
  );
}

/**
 * Whose turn it is to send an alert to its topics: 0 for the node that in the ring comes last to the alert's own shard, then
 * the others backwards. What ends or changes an alert has its turns. So the second way begins at another node than the
 * first one where there are several.
 */
export function topicTurn(
  { id, references }: Pick<TopicFacts, 'id' | 'references'>,
  self: string,
  nodes: readonly string[],
): { readonly turn: number; readonly before: readonly string[] } {
  const owner = Math.floor((finestShard(references[0] ?? id) * nodes.length) / FINEST_SHARDS);
  const order = [...nodes.slice(owner + 1), ...nodes.slice(0, owner + 1)];
  const turn = Math.max(0, order.indexOf(self));
  return { turn, before: order.slice(0, turn) };
}
