// The machine that checks a change may do other work at the same time, and some tests are about milliseconds. There a test
// that failed is tried once more, at once: the next ones may end what it stands on. What it failed with is printed all the
// same. Nowhere else.
import process from 'node:process';
import { jest } from '@jest/globals';

if (process.env.CI === 'true')
  jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true });
