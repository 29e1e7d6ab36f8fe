/** RFC 9110 section 7.6.1: about one connection, not about the message. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The headers of a message that go on with it over another connection, less those that are `dropped` besides. Names are in lower case. */
export function headersThatGoOn(from: Headers, dropped: ReadonlySet<string>): Record<string, string | string[]> {
  const { connection } = from;
  const named =
    connection === undefined
      ? undefined
      : new Set(
          String(connection)
            .split(',')
            .map((name) => name.trim().toLowerCase()),
        );
  const headers: Record<string, string | string[]> = {};
  for (const name in from) {
    const value = from[name];
    if (value === undefined || hopByHop.has(name) || dropped.has(name) || named?.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}
