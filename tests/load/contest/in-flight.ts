/**
 * Keeps `width` sends under way until `count` have been made; rejects with the first that did not come out right. What
 * people write around a package that sends one message a call.
 */
export async function keepInFlight(
  width: number,
  count: number,
  send: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
