import TestRunner from 'jest-runner';

/**
 * Runs its suites one after the other, in one child process: suites that start whole systems would otherwise compete for
 * the machine, and a handle that one of them leaves open ends with the child instead of holding up the whole run.
 */
export default class OneByOneRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }

  runTests(tests, watcher, options) {
    return super.runTests(tests, watcher, { ...options, serial: false });
  }
}
