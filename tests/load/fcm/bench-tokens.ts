import { randomBytes } from 'node:crypto';

export const PROJECT_ID = 'tocsin-bench';
const TOKENS = 2_000;

const tokens = Array.from(
  { length: TOKENS },
  () => `${randomBytes(16).toString('base64url')}:APA91b${randomBytes(100).toString('base64url')}`,
);

/** Registration tokens as FCM makes them; more messages than tokens go round. */
export function tokenAt(i: number): string {
  return tokens[i % TOKENS] ?? '';
}
