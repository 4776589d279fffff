import { type CanaryPath, LANES, TRANSPORTS } from '../../shared/envelope/envelope.ts';

/** A path in one word, such as `a:bus:b:fcm` (ingest, lane, dispatcher, transport): metric label and CAP code. */
export function pathName(path: CanaryPath): string {
  return `${path.ingest}:${path.lane}:${path.dispatcher}:${path.transport}`;
}

/** Every way that an alert can take: each ingest, each lane, each dispatcher, each transport. */
export function allPaths(ingests: readonly string[], dispatchers: readonly string[]): CanaryPath[] {
  return ingests.flatMap((ingest) =>
    LANES.flatMap((lane) =>
      dispatchers.flatMap((dispatcher) =>
        TRANSPORTS.map((transport) => ({ ingest, lane, dispatcher, transport })),
      ),
    ),
  );
}
