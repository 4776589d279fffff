import { ECDH } from 'node:crypto';
import { CANARY_AREA } from '../../../shared/alert/area.ts';
import { isAllowedPushEndpoint } from '../../../shared/subscription/push-origin.ts';
import type { Subscription } from '../../../shared/subscription/subscription.ts';

export interface SubscriptionProblem {
  readonly field: string;
  readonly message: string;
}

interface Rules {
  /** Registered by the canary through an import. */
  readonly probe: boolean;
  readonly extraPushOrigins: readonly string[];
}

/**
 * What no schema says about a subscription of the right shape: the endpoint is a known push service (it is an address
 * that a stranger asks us to POST to), the key is a point of P-256 (RFC 8291 section 3.1), and the reserved area is for
 * probes alone, as probes are for it alone (P6). Empty: it may be registered.
 */
export function subscriptionProblems(
  subscription: Subscription,
  rules: Rules,
): SubscriptionProblem[] {
  const problems: SubscriptionProblem[] = [];
  const { address, areaCodes } = subscription;
  if (address.transport === 'web-push') {
    if (!isAllowedPushEndpoint(address.endpoint, rules.extraPushOrigins))
      problems.push({
        field: 'address.endpoint',
        message:
          'is not at a push service that we send to (Mozilla, Google, Apple, Microsoft): subscribe with a browser’s own push service',
      });
    if (!isP256Point(address.keys.p256dh))
      problems.push({
        field: 'address.keys.p256dh',
        message: 'is not an uncompressed point of P-256',
      });
  }
  const reserved = areaCodes.filter((code) => code === CANARY_AREA).length;
  if (rules.probe && reserved !== areaCodes.length)
    problems.push({ field: 'areaCodes', message: `a probe lives in ${CANARY_AREA} alone` });
  if (!rules.probe && reserved > 0)
    problems.push({
      field: 'areaCodes',
      message: `${CANARY_AREA} is reserved for the system’s own probes`,
    });
  return problems;
}

/** True when the text is an uncompressed point that lies on the curve: anything else could never be encrypted for. */
function isP256Point(base64url: string): boolean {
  const point = Buffer.from(base64url, 'base64url');
  if (point.length !== 65 || point[0] !== 0x04) return false;
  try {
    ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed');
    return true;
  } catch {
    return false;
  }
}
