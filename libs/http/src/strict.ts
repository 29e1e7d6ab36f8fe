import type { z } from 'zod';

type Def = {
  readonly type: string;
  readonly shape?: Record<string, z.core.$ZodType>;
  readonly catchall?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly items?: readonly z.core.$ZodType[];
  readonly left?: z.core.$ZodType;
  readonly right?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly getter?: () => z.core.$ZodType;
};

/**
 * Paths of the objects within an input schema that would silently drop unknown keys. A client that misspells a field must hear
 * of it, and a field that only the server may set must not be taken without a word.
 */
export function looseObjects(schema: z.core.$ZodType, path = '', seen = new Set<z.core.$ZodType>()): string[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const def = schema._zod.def as Def;
  const inside = (child: z.core.$ZodType | undefined, step = ''): string[] =>
    child ? looseObjects(child, step === '' ? path : `${path}/${step}`, seen) : [];
  const own = def.type === 'object' && (def.catchall?._zod.def.type ?? '') !== 'never' ? [path || '/'] : [];
  return [
    ...own,
    ...Object.entries(def.shape ?? {}).flatMap(([name, member]) => inside(member, name)),
    ...inside(def.element, '*'),
    ...inside(def.valueType, '*'),
    ...[def.innerType, def.left, def.right, def.in, def.getter?.(), ...(def.options ?? [])].flatMap((child) => inside(child)),
    ...(def.items ?? []).flatMap((item, index) => inside(item, String(index))),
  ];
}
