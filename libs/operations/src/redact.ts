/** Names of members that hold what must not be read over an operator's shoulder, in any of our spellings. */
const secret =
  /secret|password|passwd|token|credential|authorization|cookie|signature|(?:private|api|access)[-_]?key|encrypted|ciphertext|code[-_]?url/i;
/** A signed token, wherever it stands. */
const signed = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const hidden = '[redacted]';

/** The value with everything that looks like a secret left out. Structure and harmless members stay as they are. */
export function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value === 'string') return value.replaceAll(signed, hidden);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, secret.test(name) && member !== null ? hidden : redacted(member)]),
  );
}

/** Text as it was stored: JSON as a value, anything else as text. */
export function readable(text: string): unknown {
  try {
    return redacted(JSON.parse(text));
  } catch {
    return redacted(text);
  }
}
