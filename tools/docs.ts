import { documents, stale, write } from './docs/generated.ts';
import { root } from './tracked.ts';

/** `npm run docs` writes what is made from the code; `npm run docs:check` only says what is out of date, and fails if anything is. */
const wanted = await documents(root);
const outdated = stale(root, wanted);
if (!process.argv.includes('--check')) {
  write(root, wanted);
  console.log(outdated.length > 0 ? `written: ${outdated.join(', ')}` : 'nothing has changed');
} else if (outdated.length > 0) {
  console.error(`out of date: ${outdated.join(', ')}\nrun \`npm run docs\` and commit what it writes`);
  process.exitCode = 1;
}
