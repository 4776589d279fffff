import { z } from 'zod';

/** The OTLP_ENDPOINT variable: the address of an OpenTelemetry collector; without it nothing is exported. */
export const OtlpEndpoint = z.url({ protocol: /^https?$/ }).optional();
