import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';

/** How `describeWhere` writes the reason into the title of what it skips. */
const REASON = /\[skipped: (.+?)\]/;

/** Says at the very end what was skipped and why, and then, alone on the last line, the counts of the whole run. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results;
    // A suite that could not even be loaded has no tests to count; it must not pass for nothing.
    const failed =
      results.numFailedTests + numRuntimeErrorTestSuites + (results.runExecError ? 1 : 0);
    const lines = skipped(results.testResults);
    const text = [
      ...(lines.length === 0 ? [] : ['', 'Skipped:', ...lines]),
      '',
      `${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`,
    ];
    // Jest's own summary comes after every other reporter, so this waits for the end of the process.
    process.once('exit', () => writeSync(process.stdout.fd, `${text.join('\n')}\n`));
  }
}

function skipped(suites) {
  return suites.flatMap(({ testFilePath, testResults }) =>
    testResults
      .filter(({ status }) => ['pending', 'todo', 'skipped', 'disabled'].includes(status))
      .map(({ fullName }) => {
        const reason = REASON.exec(fullName)?.[1] ?? 'no reason given';
        const title = fullName.replace(REASON, '').replaceAll(/ +/g, ' ');
        return `  ${relative(process.cwd(), testFilePath)}: ${title}: ${reason}`;
      }),
  );
}
