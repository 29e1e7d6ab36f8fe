import { isDeepStrictEqual } from 'node:util';
import type { OpenApiDocument, Operation } from '@yunshi/http/openapi';
import type { ProblemEntries } from '@yunshi/http/problem';

/** One service's own description. */
export type Described = { readonly service: string; readonly document: OpenApiDocument };

export type Merged = {
  readonly document: OpenApiDocument;
  readonly problems: ProblemEntries;
  /** Routes that a service describes but that the gateway does not lead to it: nobody could call them. */
  readonly strays: readonly string[];
};

type Components = Record<string, Record<string, unknown>>;

const pascal = (service: string): string =>
  service
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** The document with every `$ref` to a component replaced as the map says. */
function rename<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (Array.isArray(value)) return value.map((item) => rename(item as unknown, names)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) =>
      key === '$ref' && typeof member === 'string' ? [key, names.get(member) ?? member] : [key, rename(member as unknown, names)],
    ),
  ) as T;
}

/** Names of components that mean different things to different services: each gets its service's name in front. */
function clashing(all: readonly Described[]): ReadonlySet<string> {
  const first = new Map<string, unknown>();
  const clashes = new Set<string>();
  for (const { document } of all) {
    for (const [section, entries] of Object.entries((document.components ?? {}) as Components)) {
      for (const [name, component] of Object.entries(entries)) {
        const ref = `#/components/${section}/${name}`;
        if (!first.has(ref)) first.set(ref, component);
        else if (!isDeepStrictEqual(first.get(ref), component)) clashes.add(ref);
      }
    }
  }
  return clashes;
}

function withOwnNames({ service, document }: Described, clashes: ReadonlySet<string>): OpenApiDocument {
  const names = new Map<string, string>();
  const components: Components = {};
  for (const [section, entries] of Object.entries((document.components ?? {}) as Components)) {
    for (const [name, component] of Object.entries(entries)) {
      const ref = `#/components/${section}/${name}`;
      const kept = clashes.has(ref) ? `${pascal(service)}${name}` : name;
      names.set(ref, `#/components/${section}/${kept}`);
      components[section] = { ...components[section], [kept]: component };
    }
  }
  return rename({ ...document, components }, names);
}

const methods = new Set(['get', 'put', 'post', 'delete', 'patch', 'head', 'options']);

export type MergeOptions = {
  readonly info: OpenApiDocument['info'];
  readonly own: Described;
  readonly services: readonly Described[];
  readonly tags: Readonly<Record<string, string>>;
  /** Services whose description could not be had. */
  readonly missing: readonly string[];
  /** Which service the router leads this to. */
  readonly leadsTo: (method: string, path: string) => string | undefined;
};

/** One OpenAPI 3.1 document out of the gateway's own and those of the services. */
export function mergeDescriptions({ info, own, services, tags, missing, leadsTo }: MergeOptions): Merged {
  const all = [own, ...services];
  const clashes = clashing(all);
  const paths: OpenApiDocument['paths'] = {};
  const components: Components = {};
  const strays: string[] = [];
  const operationIds = new Set<string>();
  let problems: ProblemEntries = {};

  for (const described of all) {
    const { service } = described;
    const document = withOwnNames(described, clashes);
    problems = { ...problems, ...(document['x-problems'] as ProblemEntries | undefined) };
    for (const [section, entries] of Object.entries((document.components ?? {}) as Components)) {
      components[section] = { ...components[section], ...entries };
    }
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        if (!methods.has(method)) continue;
        if (service !== own.service && leadsTo(method.toUpperCase(), path) !== service) {
          strays.push(`${service}: ${method.toUpperCase()} ${path}`);
          continue;
        }
        const tagged: Operation = { ...operation, tags: operation.tags ?? [service] };
        if (tagged.operationId !== undefined && operationIds.has(tagged.operationId)) tagged.operationId += `Of${pascal(service)}`;
        if (tagged.operationId !== undefined) operationIds.add(tagged.operationId);
        paths[path] = { ...paths[path], [method]: tagged };
      }
    }
  }

  const used = new Set(Object.values(paths).flatMap((item) => Object.values(item).flatMap((operation) => operation.tags ?? [])));
  return {
    document: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      tags: [...used].map((name) => ({ name, ...(tags[name] !== undefined && { description: tags[name] }) })),
      paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
      components,
      ...(missing.length > 0 && { 'x-unavailable': [...missing] }),
    },
    problems,
    strays,
  };
}
