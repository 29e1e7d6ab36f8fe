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
  return JSON.stringify(redacted(answer, ''));
}

const hidden = '***';

function redacted(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => redacted(entry, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redacted(inner, name)]));
  }
  if (value === null || value === '') return value;
  if (key === 'value' || /pass|pwd|secret|token|ticket/i.test(key)) return hidden;
  if (key.toLowerCase() === 'authurl' && typeof value === 'string') return value.replace(/[?#].*$/s, `?${hidden}`);
  return value;
}
