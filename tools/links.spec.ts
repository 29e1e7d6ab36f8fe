import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenLinks } from './links.ts';
import { isFixture, root, trackedFiles } from './tracked.ts';

test('every link from one document to another leads somewhere', () => {
  const documents = trackedFiles().filter((file) => file.endsWith('.md') && !isFixture(file));
  expect(documents.length).toBeGreaterThan(20);
  expect(brokenLinks(root, documents)).toEqual([]);
});

test('a link to a missing file, to a missing heading or out of the repository is refused', () => {
  const base = mkdtempSync(join(tmpdir(), 'yunshi-links-'));
  writeFileSync(join(base, 'there.md'), '# One purchase 购买, `twice`\n');
  writeFileSync(
    join(base, 'here.md'),
    '[good](there.md) [good](there.md#one-purchase-购买-twice) [web](https://example.com) `[code](nowhere.md)`\n' +
      '[gone](gone.md) [heading](there.md#two) [out](../there.md) <img src="gone.png">\n',
  );
  expect(brokenLinks(base, ['here.md'])).toEqual([
    'here.md: gone.md',
    'here.md: there.md#two',
    'here.md: ../there.md',
    'here.md: gone.png',
  ]);
  rmSync(base, { recursive: true });
});
