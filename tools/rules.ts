import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { root } from './tracked.ts';

/**
 * Checks and unit-tests the alert rules with Prometheus' own tool (`apt-get install prometheus`, or any release; `PROMTOOL` names another
 * place). Without it nothing is checked, and it says so.
 */
const folders = (process.env['PATH'] ?? '').split(delimiter);
const promtool = process.env['PROMTOOL'] ?? folders.map((folder) => join(folder, 'promtool')).find((path) => existsSync(path));
const rules = join(root, 'deploy', 'prometheus');

if (promtool === undefined) {
  console.log('NOT CHECKED: the alert rules in deploy/prometheus, because there is no promtool on this machine.');
} else {
  const checks = [
    ['check', 'rules', 'rules.yaml'],
    ['test', 'rules', 'rules.test.yaml'],
  ];
  const failed = checks.filter((args) => {
    const { status, error } = spawnSync(promtool, args, { cwd: rules, stdio: 'inherit' });
    if (error) console.error(error.message);
    return status !== 0;
  });
  process.exitCode = failed.length > 0 ? 1 : 0;
}
