import type { Express } from 'express';
import { z } from 'zod';
import { Alert } from '../../../shared/alert/alert.ts';
import { Problem } from '../../../shared/http/problem.ts';
import { CredentialReport } from '../../../shared/receipt/credential.ts';
import { ProofReport } from '../../../shared/receipt/proof.ts';
import { TraceAnswer } from '../../../shared/trace/trace-answer.ts';
import { AcceptedAnswer } from '../accept/accepted-answer.ts';
import { CancelRequest, UpdateRequest } from '../accept/follow-up.ts';
import { AlertProgress } from '../progress/alert-progress.ts';
import { RouteProofs } from '../progress/path-proofs.ts';

/** Schemas by the name they have in the document. */
const SCHEMAS = {
  Alert,
  AcceptedAnswer,
  CancelRequest,
  UpdateRequest,
  AlertProgress,
  RouteProofs,
  TraceAnswer,
  ProofReport,
  CredentialReport,
  Problem,
};
type SchemaName = keyof typeof SCHEMAS;

interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security: 'apiKey' | 'internalToken' | 'none';
  readonly idempotent?: boolean;
  readonly body?: SchemaName;
  readonly success: {
    readonly status: number;
    readonly description: string;
    readonly schema?: SchemaName;
  };
  /** Statuses answered with problem+json. */
  readonly problems: readonly number[];
}

const SEND_PROBLEMS = [400, 401, 403, 409, 413, 415, 422, 503] as const;
const ACCEPTED = {
  status: 202,
  description:
    'Stored and synced in two sites, or (durability one-site, with a warning) in the only one left',
  schema: 'AcceptedAnswer',
} as const;

const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/alerts',
    operationId: 'sendAlert',
    summary: 'Send a CAP 1.2 message (Alert, Update or Cancel) on both lanes',
    security: 'apiKey',
    idempotent: true,
    body: 'Alert',
    success: ACCEPTED,
    problems: SEND_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/alerts/{id}',
    operationId: 'getAlert',
    summary: 'State and progress, merged from dispatchers, canaries and edges',
    description:
      'For each transport, `timing` says when the first, half, 95 %, 99 % and the last of the sends were accepted by the ' +
      'provider, over all dispatchers, in seconds since `issuedAt` (ingest signs, right before it answers 202). Accepted ' +
      'is not received: `probes` and `deviceReceipts` say what devices have.',
    security: 'apiKey',
    success: { status: 200, description: 'What is known now', schema: 'AlertProgress' },
    problems: [401, 403, 404, 503],
  },
  {
    method: 'post',
    path: '/v1/alerts/{id}/cancel',
    operationId: 'cancelAlert',
    summary: 'Take back an alert that was sent by mistake: builds and sends its CAP Cancel',
    description:
      'A Cancel says that the message was wrong. When a danger is over, send an update with responseType AllClear ' +
      '(`tocsin update ID deploy/examples/nice-all-clear.json`). Without an identifier the Cancel is named by what it ' +
      'says: the same request at another ingest is the same message, or, where other updates are known, a second Cancel.',
    security: 'apiKey',
    idempotent: true,
    body: 'CancelRequest',
    success: ACCEPTED,
    problems: [404, ...SEND_PROBLEMS],
  },
  {
    method: 'post',
    path: '/v1/alerts/{id}/update',
    operationId: 'updateAlert',
    summary:
      'Correct an alert, or say that the danger is over (AllClear): builds and sends a CAP Update with new infos',
    security: 'apiKey',
    idempotent: true,
    body: 'UpdateRequest',
    success: ACCEPTED,
    problems: [404, ...SEND_PROBLEMS],
  },
  {
    method: 'get',
    path: '/v1/alerts/{id}/trace',
    operationId: 'getTrace',
    summary: 'What this ingest did with an alert that it took, instant by instant',
    description:
      'The address is in the 202 (`links.trace`), and so is the header `traceparent` (W3C Trace Context): a request that ' +
      'carries one gets its trace continued, any other a new one. The services answer here with their own token too.',
    security: 'apiKey',
    success: { status: 200, description: 'Its part of the timeline', schema: 'TraceAnswer' },
    problems: [401, 403, 404],
  },
  {
    method: 'get',
    path: '/v1/routes',
    operationId: 'getRoutes',
    summary: 'Age of the last device-side proof of every path, for who is about to send',
    security: 'apiKey',
    success: { status: 200, description: 'All paths', schema: 'RouteProofs' },
    problems: [401],
  },
  {
    method: 'post',
    path: '/v1/proofs',
    operationId: 'reportProofs',
    summary: 'A canary reports what its probes received',
    security: 'internalToken',
    body: 'ProofReport',
    success: { status: 204, description: 'Noted' },
    problems: [400, 401, 413],
  },
  {
    method: 'get',
    path: '/v1/credentials',
    operationId: 'getCredentials',
    summary: 'API keys that have an end, and when they were last used here',
    security: 'internalToken',
    success: { status: 200, description: 'Those that end first', schema: 'CredentialReport' },
    problems: [401],
  },
  {
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This document',
    security: 'none',
    success: { status: 200, description: 'OpenAPI 3.1' },
    problems: [],
  },
];

/** The OpenAPI 3.1 document, made from the same schemas that check what comes in and goes out. */
function openApiDocument() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tocsin ingest',
      version: '1',
      description:
        'Raise, change and end alerts. Errors are problem details (RFC 9457) that say what to do.',
    },
    paths: pathItems(),
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'API key of a prefecture or canary',
        },
        internalToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'Token of this system’s own services',
        },
      },
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, jsonSchema(schema)]),
      ),
    },
  };
}

/**
 * Serves the document, which is made once. To be added after all other routes: a route that is not in the document, or
 * the other way round, is a bug, and the service does not start with it.
 */
export function addOpenApiRoute(app: Express): void {
  const document = openApiDocument();
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  const documented = OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort();
  const served = servedRoutes(app).sort();
  if (documented.join() !== served.join())
    throw new Error(`routes differ from the OpenAPI document: ${served.join(', ')}`);
}

/** What every service has besides its interface. */
const HOUSEKEEPING = ['/live', '/startup', '/ready', '/metrics'];

function servedRoutes(app: Express): string[] {
  return app.router.stack.flatMap(({ route }) => {
    if (!route || HOUSEKEEPING.includes(route.path)) return [];
    const methods = new Set(route.stack.map(({ method }) => method));
    return [...methods].map((method) => `${method} ${route.path.replace(':id', '{id}')}`);
  });
}

function jsonSchema(schema: z.ZodType): unknown {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

function pathItems(): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: operationObject(operation),
    };
  return paths;
}

function operationObject(operation: Operation) {
  const { success, body } = operation;
  return {
    operationId: operation.operationId,
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: operation.security === 'none' ? [] : [{ [operation.security]: [] }],
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body !== 'CancelRequest',
            content: contentOf('application/json', body),
          },
        }),
    responses: {
      [success.status]: {
        description: success.description,
        ...(success.schema === undefined
          ? {}
          : { content: contentOf('application/json', success.schema) }),
      },
      ...Object.fromEntries(
        operation.problems.map((status) => [
          status,
          {
            description: 'Refused, with what to do',
            content: contentOf('application/problem+json', 'Problem'),
          },
        ]),
      ),
    },
  };
}

function parametersOf(operation: Operation) {
  const id = {
    name: 'id',
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  };
  const idempotencyKey = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Same key and same body: same answer. Same key and another body: 409',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  };
  return [
    ...(operation.path.includes('{id}') ? [id] : []),
    ...(operation.idempotent ? [idempotencyKey] : []),
  ];
}

function contentOf(mediaType: string, name: SchemaName) {
  return { [mediaType]: { schema: { $ref: `#/components/schemas/${name}` } } };
}
