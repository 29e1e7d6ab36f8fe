import type { z } from 'zod';
import { environments } from './discover.ts';
import { banner, code, page, table } from './markdown.ts';
import { schemaOf, type Schema } from './shape.ts';

/** What variables mean that several services have, and those that no service's schema names because others read them. */
const meanings: Readonly<Record<string, string>> = {
  PORT: 'Port to listen on; 0 takes a free one',
  HOST: 'Address to listen on',
  DATABASE_URL: "PostgreSQL, as the service's own role, which sees its own schema only",
  NATS_URL: 'nats-server with JetStream; several parted by commas',
  AUTH_ISSUER: '`iss` of the tokens that are believed',
  AUTH_JWKS_URL: "Where the issuer's public keys are",
  AUTH_AUDIENCE: '`aud` of the tokens that are believed',
  TEST_CLOCK: 'Lets business time be moved; never in production',
  SEED: 'Whether the demo world is written at the start',
  NODE_ENV: 'Production refuses what only development may do',
  LOG_LEVEL: 'What is logged: this and everything graver',
};

const everywhere: readonly (readonly [string, string, string])[] = [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', '', 'Where traces and metrics go (OTLP). Without it nothing is exported, but trace ids still travel'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', '`http/protobuf`', '`http/protobuf`, `http/json` or `grpc`'],
  ['OTEL_SERVICE_NAME', '`unknown_service`', 'Name of the service in traces and metrics'],
  ['OTEL_TRACES_SAMPLER', '`parentbased_traceidratio`', 'Which traces are recorded'],
  ['OTEL_TRACES_SAMPLER_ARG', '`0.1`', 'The share of traces for `traceidratio`, from 0 to 1'],
  ['NATS_REPLICAS', '`1`', 'Copies of each stream; 3 in a cluster'],
];

export async function configPage(): Promise<string> {
  const sections = (await environments()).flatMap(({ service, schema }) => [`## ${service}`, variables(service, schema as z.ZodType)]);
  return page(
    banner('the `Environment` schema of each service'),
    '# Configuration',
    'Services are configured by their environment only. A variable without a default must be given; secrets have no default. A wrong value ends the start with a message that names it.',
    ...sections,
    '## Every service',
    'The standard variables of OpenTelemetry are understood as its specification has them; these are the ones most often set.',
    table(
      ['variable', 'default', 'meaning'],
      everywhere.map(([name, fallback, meaning]) => [code(name), fallback, meaning]),
    ),
  );
}

export function variables(service: string, schema: z.ZodType): string {
  const { properties = {}, required = [] } = schemaOf(schema);
  const rows = Object.entries(properties).map(([name, of]) => {
    const meaning = of.description ?? meanings[name];
    if (!meaning) throw new Error(`${service}: say what ${name} means, by .describe(…) in its schema`);
    return [code(name), values(of), fallback(of, required.includes(name)), meaning];
  });
  return table(['variable', 'values', 'default', 'meaning'], rows);
}

function values(of: Schema): string {
  if (of.enum) return of.enum.map((value) => code(String(value))).join(', ');
  if (of.type === 'integer' || of.type === 'number') return [of.type, range(of)].filter(Boolean).join(' ');
  return of.format === 'uri' ? 'URL' : 'text';
}

const range = ({ minimum, maximum }: Schema): string =>
  [
    minimum !== undefined && Math.abs(minimum) < Number.MAX_SAFE_INTEGER && `≥ ${minimum}`,
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && `≤ ${maximum}`,
  ]
    .filter(Boolean)
    .join(', ');

function fallback({ default: given }: Schema, isRequired: boolean): string {
  if (given !== undefined) return code(typeof given === 'string' ? given : JSON.stringify(given));
  return isRequired ? 'required' : 'optional';
}
