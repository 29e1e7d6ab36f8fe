import type { OpenApiDocument } from '@yunshi/http/openapi';
import type { UpstreamName } from '../routing/table.ts';
import type { Described } from './merge.ts';

export type SourceLimits = { readonly freshMs: number; readonly answerMsMax: number };
const sourceLimits: SourceLimits = { freshMs: 15_000, answerMsMax: 2_000 };

export type Source = () => Promise<{ readonly services: readonly Described[]; readonly missing: readonly string[] }>;

async function fetchDescription(url: string, answerMsMax: number): Promise<OpenApiDocument> {
  const response = await fetch(new URL('/openapi.json', url), { signal: AbortSignal.timeout(answerMsMax) });
  if (!response.ok) throw new Error(`${response.status}`);
  const document = (await response.json()) as OpenApiDocument;
  if (!document.openapi.startsWith('3.1') || typeof document.paths !== 'object') throw new Error('not an OpenAPI 3.1 document');
  return document;
}

/** The services' descriptions, kept for a while. One that does not answer keeps its last known description. */
export function descriptionSource(urls: Readonly<Record<UpstreamName, string>>, limits: SourceLimits = sourceLimits): Source {
  const known = new Map<string, { readonly document: OpenApiDocument; readonly readAtMs: number }>();
  let reading: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const now = performance.now();
    const due = Object.entries(urls).filter(([service]) => now - (known.get(service)?.readAtMs ?? -Infinity) > limits.freshMs);
    await Promise.all(
      due.map(async ([service, url]) => {
        const document = await fetchDescription(url, limits.answerMsMax).catch(() => undefined);
        if (document) known.set(service, { document, readAtMs: now });
      }),
    );
  }

  return async () => {
    // However many ask at once, each service is asked once.
    reading ??= refresh().finally(() => (reading = undefined));
    await reading;
    const names = Object.keys(urls);
    return {
      services: names.flatMap((service) => {
        const document = known.get(service)?.document;
        return document ? [{ service, document }] : [];
      }),
      missing: names.filter((service) => !known.has(service)),
    };
  };
}
