import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Links of Markdown files to other files of the repository that lead nowhere: `file: link`. */
export function brokenLinks(base: string, files: readonly string[]): readonly string[] {
  return files.flatMap((file) =>
    linksIn(readFileSync(join(base, file), 'utf8'))
      .filter((link) => !leadsSomewhere(base, file, link))
      .map((link) => `${file}: ${link}`),
  );
}

function linksIn(text: string): readonly string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
  const found = [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
  return found.filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(base: string, file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? file : normalize(join(dirname(file), path));
  if (target.startsWith('..') || !existsSync(join(base, target))) return false;
  if (anchor === undefined || statSync(join(base, target)).isDirectory()) return anchor === undefined;
  return anchorsIn(readFileSync(join(base, target), 'utf8')).has(anchor);
}

/** Headings as they are linked to: lower case, spaces as hyphens, other marks dropped. */
function anchorsIn(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ +(.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}
