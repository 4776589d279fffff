import { type Layout, layoutOf } from '../local/layout.ts';

/** The two sites of deploy/compose.yaml, on the ports and with the files of `make run`, in the volume /state. */
export const CONTAINER_LAYOUT: Layout = layoutOf({
  sites: 2,
  portBase: 8400,
  stateDir: '/state',
});
