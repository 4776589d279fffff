import type { Express } from 'express';
import { z } from 'zod';
import { invalidRequest } from '../../shared/http/problem.ts';
import type { FcmTopics } from './fcm-topics.ts';

const TopicSettings = z.strictObject({ delayMs: z.int().min(0).max(60_000) });

/** The control port's side of FCM's topics: who is in them, and how long their messages take. */
export function addFcmTopicRoutes(app: Express, { topics }: { readonly topics: FcmTopics }): void {
  app.get('/fcm/topics', (_request, response) => {
    response.json({ delayMs: topics.delayMs, topics: topics.list() });
  });
  app.put('/fcm/topics', (request, response) => {
    const parsed = TopicSettings.safeParse(request.body);
    if (!parsed.success) throw invalidRequest(parsed.error);
    topics.setDelay(parsed.data.delayMs);
    response.json({ delayMs: topics.delayMs, topics: topics.list() });
  });
  app.get('/fcm/tokens/:token/topics', (request, response) => {
    response.json({ topics: topics.topicsOf(request.params.token) });
  });
}
