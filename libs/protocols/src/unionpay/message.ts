/**
 * Messages of UnionPay's acp 5.1.0: flat fields. What is asked goes as an HTML form, what is answered comes as `k=v&k=v`, whose values are
 * not URL-encoded: a value may be a list or a record of its own in `{…}` or `[…]`, with `&` and `=` inside.
 */
import { no, ok, type Result } from '@yunshi/kernel/result';

export type Fields = Readonly<Record<string, string>>;

const closing: Readonly<Record<string, string>> = { '{': '}', '[': ']' };
const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
const FIELDS_MAX = 100;

/** Reads an answer. A name twice, or a bracket that is not closed by its own kind, is refused. */
export function parseMessage(text: string): Result<Fields, 'malformed'> {
  const parts = partsOf(text.replace(/\r?\n$/, ''));
  return parts ? fieldsOf(parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)])) : no('malformed');
}

/** Reads a form, as notices come. */
export function parseForm(text: string): Result<Fields, 'malformed'> {
  // A truncated escape would be read as itself, and would make another text of it.
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return no('malformed');
  return fieldsOf([...new URLSearchParams(text)]);
}

/** Splits at every `&` that stands in no bracket. */
function partsOf(text: string): string[] | undefined {
  const [parts, open]: [string[], string[]] = [[], []];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign in closing) open.push(closing[sign] ?? '');
    else if (sign === '}' || sign === ']') {
      if (open.pop() !== sign) return undefined;
    } else if (sign === '&' && open.length === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return open.length === 0 ? [...parts, text.slice(from)] : undefined;
}

function fieldsOf(pairs: readonly (readonly [string, string])[]): Result<Fields, 'malformed'> {
  if (pairs.length === 0 || pairs.length > FIELDS_MAX) return no('malformed');
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!NAME.test(name) || fields.has(name)) return no('malformed');
    fields.set(name, value);
  }
  return ok(Object.fromEntries(fields));
}

/** An answer as it goes over the wire. */
export const writeMessage = (fields: Fields): string => Object.entries(fields).map(pair).join('&');
export const writeForm = (fields: Fields): string => new URLSearchParams(fields).toString();

/** What is signed: everything but the signature, names in ASCII order, values as they are. */
export const signedText = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([name]) => name !== 'signature')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(pair)
    .join('&');

const pair = ([name, value]: readonly [string, string]): string => `${name}=${value}`;
