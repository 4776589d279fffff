import type { Express } from 'express';
import { type AppDeps, createApp, finishApp } from '../../shared/http/app.ts';
import { type AlertRoutesDeps, addAlertRoutes } from './routes/alert-routes.ts';
import { addCredentialRoutes, type CredentialRoutesDeps } from './routes/credential-routes.ts';
import { addOpenApiRoute } from './routes/openapi.ts';
import { addProgressRoutes, type ProgressRoutesDeps } from './routes/progress-routes.ts';
import { addIngestTraceRoute, type TraceRouteDeps } from './routes/trace-route.ts';

/** All routes of the service. */
export function createIngestApp(
  deps: AppDeps & AlertRoutesDeps & ProgressRoutesDeps & CredentialRoutesDeps & TraceRouteDeps,
): Express {
  const app = createApp(deps);
  addAlertRoutes(app, deps);
  addProgressRoutes(app, deps);
  addIngestTraceRoute(app, deps);
  addCredentialRoutes(app, deps);
  addOpenApiRoute(app);
  finishApp(app, deps.log);
  return app;
}
