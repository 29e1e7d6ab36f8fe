type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A JSON text as one of the official SDKs writes it before it checks a signature: no spaces, keys sorted at every level, characters beyond
 * ASCII as they are, and «/» escaped, as PHP does unless told otherwise. A line feed at the end stays.
 * @returns undefined when it is not JSON
 */
export function sortedJson(text: string): string | undefined {
  try {
    return `${write(JSON.parse(text) as Json)}${text.endsWith('\n') ? '\n' : ''}`;
  } catch {
    return undefined;
  }
}

function write(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return escaped(JSON.stringify(value));
  // By code unit, not by anybody's alphabet: PHP compares bytes, which for the protocol's ASCII names is the same.
  const keys = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${escaped(JSON.stringify(key))}:${write((value as Record<string, Json>)[key]!)}`).join(',')}}`;
}

const escaped = (json: string): string => json.replaceAll('/', '\\/');
