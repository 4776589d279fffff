/** The server keeps at most 100 messages for a device that it does not know to have arrived; twice as many are remembered. */
export const MAX_RECEIVED_IDS = 200;

/** The ids with one more, the newest last; the oldest go first. */
export function withReceivedId(ids: readonly string[], id: string): readonly string[] {
  return [...ids.filter((each) => each !== id), id].slice(-MAX_RECEIVED_IDS);
}
