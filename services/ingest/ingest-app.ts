import type { Express } from 'express';
import { type AppDeps, createApp, finishApp } from '../../shared/http/app.ts';
import { type AlertRoutesDeps, addAlertRoutes } from './routes/alert-routes.ts';
import { addOpenApiRoute } from './routes/openapi.ts';
import { addProgressRoutes, type ProgressRoutesDeps } from './routes/progress-routes.ts';

/** All routes of the service. */
export function createIngestApp(deps: AppDeps & AlertRoutesDeps & ProgressRoutesDeps): Express {
  const app = createApp(deps);
  addAlertRoutes(app, deps);
  addProgressRoutes(app, deps);
  addOpenApiRoute(app);
  finishApp(app, deps.log);
  return app;
}
