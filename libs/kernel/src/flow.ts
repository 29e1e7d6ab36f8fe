import { no, ok, type Result } from './result.ts';

type Table = { readonly [state: string]: { readonly [action: string]: string } };

/** A state machine as a table: state → action → next state. Every target must be a state of the same table. */
export type Flow<F extends Table> = {
  readonly name: string;
  readonly table: F;
  readonly states: readonly (keyof F & string)[];
};
type Closed<F> = { readonly [S in keyof F]: { readonly [action: string]: keyof F & string } };

export type StateOf<M> = M extends Flow<infer F> ? keyof F & string : never;
export type ActionOf<M> = M extends Flow<infer F> ? { [S in keyof F]: keyof F[S] }[keyof F] & string : never;
export type IllegalMove = { readonly code: 'illegal-move'; readonly flow: string; readonly from: string; readonly action: string };

const flows = new Map<string, Flow<Table>>();

/** Declares a status table. The name is what the generated diagrams are called; it is unique in a process. */
export function flow<const F extends Table & Closed<F>>(name: string, table: F): Flow<F> {
  const declared = Object.freeze({ name, table, states: Object.keys(table) as (keyof F & string)[] });
  flows.set(name, declared);
  return declared;
}

/** Every status table declared by the modules imported so far, for diagrams and checks. */
export const declaredFlows = (): readonly Flow<Table>[] => [...flows.values()];

export function move<F extends Table>(
  machine: Flow<F>,
  from: keyof F & string,
  action: ActionOf<Flow<F>>,
): Result<keyof F & string, IllegalMove> {
  const to = machine.table[from]?.[action];
  return to === undefined ? no({ code: 'illegal-move', flow: machine.name, from, action }) : ok(to);
}

/** Whether nothing leads out of the state. */
export const isTerminal = <F extends Table>(machine: Flow<F>, state: keyof F & string): boolean =>
  Object.keys(machine.table[state] ?? {}).length === 0;

/** The states that can be reached from `start` along the table. */
export function reachable<F extends Table>(machine: Flow<F>, start: keyof F & string): ReadonlySet<string> {
  const seen = new Set<string>([start]);
  for (const state of seen) for (const next of Object.values(machine.table[state] ?? {})) seen.add(next);
  return seen;
}
