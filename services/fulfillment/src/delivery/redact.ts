/**
 * A provider's answer as the log may keep it: the buyer's account, password and login link are the buyer's alone.
 * What is not JSON is kept as it is, for whoever has to find out why; it delivered nothing.
 */
export function redactAnswer(text: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return text;
  }
  return JSON.stringify(redacted(answer, []));
}

const hidden = '***';

/** The SPI hands credentials over in these, under names that each provider chooses. */
const containers = new Set(['appInfo', 'hostInfo', 'info']);
const harmless = new Set(['website', 'frontEndUrl', 'ip', 'region', 'name']);
const links = new Set(['authurl', 'adminurl']);

function redacted(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => redacted(entry, path));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redacted(inner, [...path, name])]));
  }
  if (value === null || value === '') return value;
  const key = path.at(-1) ?? '';
  if (links.has(key.toLowerCase()) && typeof value === 'string') return value.replace(/[?#].*$/s, `?${hidden}`);
  if (key === 'value' || /pass|pwd|secret|token|ticket/i.test(key)) return hidden;
  return path.slice(0, -1).some((name) => containers.has(name)) && !harmless.has(key) ? hidden : value;
}
