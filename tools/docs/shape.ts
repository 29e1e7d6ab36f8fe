import { z } from 'zod';

/** The part of JSON Schema that zod makes of our contracts. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly description?: string;
};

/** What a sender has to give. */
export const schemaOf = (of: z.ZodType): Schema => z.toJSONSchema(of, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema;

/** Writes a schema the way TypeScript would, with limits as comments: for reading, not for compiling. */
export const shapeOf = (of: z.ZodType): string => written(schemaOf(of), '');

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));

function written(schema: Schema, indent: string): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => written(choice, indent)).join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => written(part, indent)).join(' & ');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  if (schema.properties) return object(schema, indent);
  if (schema.items) return list(schema, indent);
  if (typeof schema.additionalProperties === 'object') return `{ [name: string]: ${written(schema.additionalProperties, indent)} }`;
  return scalar(schema);
}

function object({ properties = {}, required = [] }: Schema, indent: string): string {
  const names = Object.keys(properties);
  if (names.length === 0) return '{}';
  const deeper = `${indent}  `;
  const lines = names.map((name) => `${deeper}${name}${required.includes(name) ? '' : '?'}: ${written(properties[name]!, deeper)};`);
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function list(schema: Schema, indent: string): string {
  const item = written(schema.items!, indent);
  const { anyOf, oneOf, allOf, enum: values } = schema.items!;
  return `${anyOf || oneOf || allOf || values ? `(${item})` : item}[]${limits([
    ['at least', schema.minItems],
    ['at most', schema.maxItems],
  ])}`;
}

function scalar(schema: Schema): string {
  const prefix = /^\^([a-z]+)_/.exec(schema.pattern ?? '')?.[1];
  if (prefix) return `'${prefix}_…'`;
  if (schema.format === 'date-time' || schema.format === 'date') return schema.format === 'date' ? 'Date' : 'DateTime';
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type as string | undefined);
  const isBounded = (bound: number | undefined) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return `${type ?? 'unknown'}${limits([
    ['≥', isBounded(schema.minimum) ? schema.minimum : undefined],
    ['≤', isBounded(schema.maximum) ? schema.maximum : undefined],
    ['length ≥', schema.minLength],
    ['length ≤', schema.maxLength],
  ])}`;
}

function limits(bounds: readonly (readonly [string, number | undefined])[]): string {
  const said = bounds.filter(([, bound]) => bound !== undefined).map(([word, bound]) => `${word} ${bound}`);
  return said.length > 0 ? ` /* ${said.join(', ')} */` : '';
}
