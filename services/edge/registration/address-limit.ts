import { isIPv6 } from 'node:net';

/** Addresses that are remembered at a time; the longest unseen is forgotten first (its bucket is full again anyway). */
const MAX_ADDRESSES = 50_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Answers how many seconds an address has to wait; 0 means: go on, and one is taken. */
export type AddressLimit = (address: string, nowMs: number) => number;

/** A token bucket for each address: `perMinute` at once, refilled evenly. Its memory is bounded. */
export function createAddressLimit(perMinute: number, maxAddresses = MAX_ADDRESSES): AddressLimit {
  const buckets = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;
  return (address, nowMs) => {
    const key = addressKey(address);
    const bucket = buckets.get(key) ?? { tokens: perMinute, atMs: nowMs };
    buckets.delete(key);
    buckets.set(key, bucket);
    const oldest = buckets.keys().next();
    if (buckets.size > maxAddresses && !oldest.done) buckets.delete(oldest.value);
    bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * perMs);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.ceil((1 - bucket.tokens) / perMs / 1000);
  };
}

/** One home has a whole IPv6 /64, so it counts as one address. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const left = head.split(':').filter(Boolean);
  const right = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((part) => part.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
