import process from 'node:process';

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  setupFilesAfterEnv: ['<rootDir>/tests/support/retry-in-ci.js'],
  transform: { '\\.ts$': '<rootDir>/tests/support/strip-types.js' },
};
/** Suites that start processes, browsers or containers: side by side they would take each other's time. */
const HEAVY = ['integration', 'containers', 'browser', 'failover', 'monitoring', 'end-to-end'].map(
  (folder) => `<rootDir>/tests/${folder}/`,
);

/** Jest runs the TypeScript sources as ES modules, with the types taken out by Node itself. */
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      roots: ['<rootDir>/services', '<rootDir>/shared', '<rootDir>/deploy', '<rootDir>/tests'],
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...HEAVY],
    },
    {
      ...common,
      displayName: 'system',
      roots: ['<rootDir>/tests'],
      testMatch: HEAVY.map((folder) => `${folder}**/*.test.ts`),
      runner: '<rootDir>/tests/support/one-by-one-runner.js',
    },
  ],
  // Here, because Jest takes no notice of it in a project.
  testTimeout: 20_000,
  // What a failed test left open must not keep the result of all others from being told.
  forceExit: process.env.CI === 'true',
  reporters: ['default', '<rootDir>/tests/support/closing-line.js'],
};
