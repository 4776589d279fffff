import { Counter, type Registry } from 'prom-client';
import { PROVIDERS } from './faults.ts';

/** The sandbox's own counters, at zero from the start. */
export function createSandboxMetrics(registry: Registry) {
  const answers = new Counter({
    name: 'tocsin_sandbox_answers_total',
    help: 'Answers of the stand-in providers by status',
    labelNames: ['provider', 'status'],
    registers: [registry],
  });
  for (const provider of PROVIDERS)
    answers.inc({ provider, status: provider === 'fcm' ? '200' : '201' }, 0);
  return { answers };
}

export type SandboxMetrics = ReturnType<typeof createSandboxMetrics>;
