import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './tracked.ts';

type Step = { name: string; command: string; args: readonly string[] };

const report = join(root, '.cache', 'tests.json');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;

/** The quick checks first; import rules and tidiness are tests too (tools/*.spec.ts), each with a proof that it can fail. */
const steps: Step[] = [
  { name: 'types', command: bin('tsc'), args: ['-p', 'tsconfig.json'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings', '--format=unix'] },
  { name: 'format', command: bin('prettier'), args: ['--check', '--log-level=warn', '.'] },
  { name: 'unused code and packages', command: bin('knip'), args: ['--no-progress'] },
  ...(scripts['docs:check'] ? [{ name: 'generated docs', command: 'npm', args: ['run', '--silent', 'docs:check'] }] : []),
  { name: 'alert rules', command: 'npm', args: ['run', '--silent', 'rules:check'] },
];

const wanted = process.argv.slice(2);
mkdirSync(join(root, '.cache'), { recursive: true });
rmSync(report, { force: true });
const failed = (wanted.length > 0 ? [] : steps).filter((step) => !passes(step)).map(({ name }) => name);
const tests = passes({
  name: 'tests: unit, simulation, integration, journeys',
  command: bin('vitest'),
  args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...wanted],
});
close();

function passes({ name, command, args }: Step): boolean {
  console.log(`\n── ${name}`);
  const began = performance.now();
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  console.log(`   ${status === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return status === 0;
}

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
};

/** What failed stands once more at the end, where somebody who sees only the end of a long log finds it. */
function failuresIn({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`);
    const ownTrouble = tests.length === 0 && status === 'failed' ? [message] : [];
    return [...tests, ...ownTrouble].map((what) => `${relative(root, name)}: ${firstLines(what)}`);
  });
}

function firstLines(text: string, lines = 20): string {
  return text.split('\n').slice(0, lines).join('\n    ');
}

/** The last line says how many tests there were; a check that failed without a test counts as one. */
function close(): never {
  const nothing: Report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
  const counts = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : nothing;
  const broken = failed.length + counts.numFailedTests + (!tests && counts.numFailedTests === 0 ? 1 : 0);
  if (failed.length > 0) console.log(`\nFailed checks: ${failed.join(', ')}`);
  if (!tests) console.log(`\nThe tests failed.\n${failuresIn(counts).join('\n')}`);
  const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : '';
  console.log(`\n${counts.numPassedTests + (wanted.length > 0 ? 0 : steps.length) - failed.length} passed, ${broken} failed${skipped}`);
  process.exit(broken === 0 ? 0 : 1);
}
