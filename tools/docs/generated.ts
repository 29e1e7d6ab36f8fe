import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configPage } from './config.ts';
import { flows } from './discover.ts';
import { messagesPage } from './messages.ts';
import { problemsPage } from './problems.ts';
import { sagasPage } from './sagas.ts';
import { statesPage, withStateDiagrams } from './states.ts';

/** A file as it must be. */
export type Document = { readonly path: string; readonly text: string };

/** Everything that is made from the code, as it must be now. READMEs are taken from `base` and keep what is theirs. */
export async function documents(base: string): Promise<readonly Document[]> {
  const found = await flows();
  const services = [...new Set(found.map(({ service }) => service))].toSorted();
  return [
    { path: 'docs/generated/messages.md', text: await messagesPage() },
    { path: 'docs/generated/sagas.md', text: await sagasPage() },
    { path: 'docs/generated/states.md', text: await statesPage() },
    { path: 'docs/generated/problems.md', text: await problemsPage() },
    { path: 'docs/generated/config.md', text: await configPage() },
    ...services.map((service) => {
      const path = `services/${service}/README.md`;
      if (!existsSync(join(base, path))) throw new Error(`${path} is missing: its service has status diagrams to show`);
      const readme = readFileSync(join(base, path), 'utf8');
      return {
        path,
        text: withStateDiagrams(
          readme,
          path,
          found.filter((one) => one.service === service),
        ),
      };
    }),
  ];
}

/** Paths of the documents that are not in `base` as they must be. */
export const stale = (base: string, wanted: readonly Document[]): readonly string[] =>
  wanted
    .filter(({ path, text }) => !existsSync(join(base, path)) || readFileSync(join(base, path), 'utf8') !== text)
    .map(({ path }) => path);

export function write(base: string, wanted: readonly Document[]): void {
  for (const { path, text } of wanted) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  }
}
