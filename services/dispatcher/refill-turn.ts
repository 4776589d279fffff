/** A lack that lasts this long is nobody's writes on their way. */
const PATIENCE_MS = 4_000;
/** Each next node waits this much longer, so that usually one fills and the others see the stream grow. */
const TURN_MS = 4_000;
/** After a pass that put nothing back, or failed. */
const REST_MS = 60_000;

/** What a look at one site's REGISTRY stream has shown. */
export interface RegistryLook {
  readonly atMs: number;
  /** Messages of the stream: one for each device it knows, removed ones among them. */
  readonly messages: number;
  /** Devices that the replica knows, the same way. */
  readonly rows: number;
}

/** What is kept between two looks. */
export interface LackState {
  /** Since when the stream has lacked records without growing. */
  readonly sinceMs: number | undefined;
  readonly messages: number;
  readonly restUntilMs: number;
}

export const NO_LACK: LackState = { sinceMs: undefined, messages: 0, restUntilMs: 0 };

/**
 * Whether this node fills a stream now; pure. A stream that grows is being filled by somebody else. `turn` is the node's
 * place among the dispatchers: it spares work and is not needed to be right, since a record is put only where there is none.
 */
export function takeTurn(
  before: LackState,
  look: RegistryLook,
  turn: number,
): { readonly fill: boolean; readonly state: LackState } {
  const { atMs, messages, rows } = look;
  const { restUntilMs } = before;
  if (messages >= rows)
    return { fill: false, state: { sinceMs: undefined, messages, restUntilMs } };
  const isGrowing = messages > before.messages;
  const sinceMs = before.sinceMs === undefined || isGrowing ? atMs : before.sinceMs;
  const fill = atMs >= restUntilMs && atMs - sinceMs >= PATIENCE_MS + turn * TURN_MS;
  return { fill, state: { sinceMs, messages, restUntilMs } };
}

/** After a pass: one that brought nothing forward is not repeated at once. */
export function afterPass(state: LackState, stored: number, atMs: number): LackState {
  const restUntilMs = stored > 0 ? 0 : atMs + REST_MS;
  return { ...state, sinceMs: undefined, restUntilMs };
}
