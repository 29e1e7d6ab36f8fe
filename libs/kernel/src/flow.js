import { no, ok } from './result.ts';
const flows = new Map();
/** Declares a status table. The name is what the generated diagrams are called; it is unique in a process. */
export function flow(name, table) {
  const declared = Object.freeze({ name, table, states: Object.keys(table) });
  flows.set(name, declared);
  return declared;
}
/** Every status table declared by the modules imported so far, for diagrams and checks. */
export const declaredFlows = () => [...flows.values()];
export function move(machine, from, action) {
  const to = machine.table[from]?.[action];
  return to === undefined ? no({ code: 'illegal-move', flow: machine.name, from, action }) : ok(to);
}
/** Whether nothing leads out of the state. */
export const isTerminal = (machine, state) => Object.keys(machine.table[state] ?? {}).length === 0;
/** The states that can be reached from `start` along the table. */
export function reachable(machine, start) {
  const seen = new Set([start]);
  for (const state of seen) for (const next of Object.values(machine.table[state] ?? {})) seen.add(next);
  return seen;
}
