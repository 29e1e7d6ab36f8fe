import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Source = { suite: string; line: string };
type Entry = { options: string; uri: string; suites: readonly string[] };

/** Suites whose nats-server is too old. */
const TOO_OLD = new Set(['buster', 'bullseye', 'bookworm']);

/**
 * One source line per suite worth asking, on the machine's own Debian mirror: the machine's suite first (its libraries surely fit), then
 * stable, whose version does not move, then those that do.
 */
export function debianSources(etc = '/etc'): Source[] {
  const release = read(join(etc, 'os-release'));
  if (!/^ID=debian$/m.test(release)) return [];
  const own = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1] ?? '';
  const archive = entries(join(etc, 'apt')).find((entry) => entry.suites.includes(own) || entry.suites.includes('stable'));
  if (!archive) return [];
  const suites = new Set([own, 'trixie', 'forky', 'sid']);
  return [...suites]
    .filter((suite) => suite !== '' && !TOO_OLD.has(suite))
    .map((suite) => ({ suite, line: `deb ${archive.options}${archive.uri} ${suite} main` }));
}

function entries(apt: string): Entry[] {
  const parts = join(apt, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).toSorted() : [];
  const files = (ending: string) => names.filter((name) => name.endsWith(ending)).map((name) => read(join(parts, name)));
  return [
    ...[read(join(apt, 'sources.list')), ...files('.list')].flatMap(classic),
    ...files('.sources').flatMap((text) => text.split(/\n\s*\n/).flatMap(deb822)),
  ].filter(({ uri }) => /\/debian\/?$/.test(uri));
}

/** `deb [signed-by=…] http://mirror/debian bookworm main` */
function classic(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const found = /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+.*\bmain\b/.exec(line.trim());
    return found ? [{ options: found[1] ?? '', uri: found[2] ?? '', suites: [found[3] ?? ''] }] : [];
  });
}

/** A stanza of `Name: value` lines; a line that begins with a space goes on with the value before. */
function deb822(stanza: string): Entry[] {
  const unfolded = stanza.replace(/^#.*\n?/gm, '').replace(/\n[ \t]+/g, ' ');
  const fields = new Map(
    unfolded.split('\n').flatMap((line) => {
      const found = /^([\w-]+):\s*(.*)$/.exec(line.trim());
      return found ? [[(found[1] ?? '').toLowerCase(), found[2] ?? ''] as const] : [];
    }),
  );
  const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
  if (!words('types').includes('deb') || !words('components').includes('main') || fields.get('enabled') === 'no') return [];
  const key = fields.get('signed-by') ?? '';
  // A key written into the stanza itself has no place in a one-line source; apt's trusted keys are used then.
  const options = key.startsWith('/') ? `[signed-by=${key}] ` : '';
  return words('uris').map((uri) => ({ options, uri, suites: words('suites') }));
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
