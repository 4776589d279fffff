import { z } from 'zod';

/** One thing wrong with a request, by the field it is about. */
const ProblemItem = z.object({ field: z.string(), message: z.string() });

/** RFC 9457 problem details. `errors` lists everything that is wrong at once; `action` says what to do. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  action: z.string().optional(),
  errors: z.array(ProblemItem).optional(),
});
export type Problem = z.infer<typeof Problem>;

interface ProblemOptions {
  readonly detail?: string;
  readonly action?: string;
  readonly errors?: readonly { field: string; message: string }[];
  /** Sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Thrown by a route when the client has to hear what is wrong; the error handler turns it into problem+json. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly retryAfterSeconds: number | undefined;

  /** `kind` is the last part of the problem's type, such as `not-authorised`. */
  constructor(status: number, kind: string, title: string, options: ProblemOptions = {}) {
    super(title, { cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.problem = {
      type: `https://tocsin.example/problems/${kind}`,
      title,
      status,
      ...(options.detail === undefined ? {} : { detail: options.detail }),
      ...(options.action === undefined ? {} : { action: options.action }),
      ...(options.errors === undefined ? {} : { errors: [...options.errors] }),
    };
  }
}

/** The problem for a request whose body, query or path does not fit its schema. */
export function invalidRequest(error: z.ZodError, status = 400): ProblemError {
  return new ProblemError(status, 'invalid-request', 'The request is not valid', {
    errors: error.issues.map((issue) => ({
      field: issue.path.map(String).join('.'),
      message: issue.message,
    })),
    action: 'Correct the fields named in errors and send again',
  });
}
