import { flows, type FlowFound, type Transitions } from './discover.ts';
import { banner, code, fenced, page } from './markdown.ts';

/** Every status table as a diagram. */
export async function statesPage(): Promise<string> {
  const found = (await flows()).toSorted((one, other) => (one.flow.name < other.flow.name ? -1 : 1));
  return page(
    banner("the services' status tables"),
    '# States',
    'A status changes only along its table. An arrow is named by what happened.',
    ...found.flatMap(({ flow, service, file }) => [`## ${flow.name}`, `Kept by **${service}**, ${code(file)}.`, stateDiagram(flow.table)]),
  );
}

/** Begins at the states that nothing leads to; ends at those that lead nowhere. */
export function stateDiagram(transitions: Transitions): string {
  const states = Object.keys(transitions);
  const moves = states.flatMap((from) => Object.entries(transitions[from]!).map(([action, to]) => ({ from, action, to })));
  const reached = new Set(moves.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const first = states.filter((state) => !reached.has(state));
  const last = states.filter((state) => Object.keys(transitions[state]!).length === 0);
  const named = new Map(states.map((state) => [state, state.replaceAll('-', '_')]));
  const renamed = [...named].filter(([state, name]) => state !== name).map(([state, name]) => `  ${name}: ${state}`);
  const arrows = [
    ...(first.length > 0 ? first : states.slice(0, 1)).map((state) => `  [*] --> ${named.get(state)}`),
    ...moves.map(({ from, action, to }) => `  ${named.get(from)} --> ${named.get(to)}: ${action}`),
    ...last.map((state) => `  ${named.get(state)} --> [*]`),
  ];
  return fenced('mermaid', ['stateDiagram-v2', ...renamed, ...arrows].join('\n'));
}

const ends = '<!-- /generated -->';

/** The README with its diagrams as they must be; throws where one has no place for its diagram. */
export function withStateDiagrams(readme: string, path: string, of: readonly FlowFound[]): string {
  return of.reduce((text, { flow }) => {
    const begins = `<!-- generated: flow ${flow.name} -->`;
    const from = text.indexOf(begins);
    const to = text.indexOf(ends, from);
    if (from < 0 || to < 0) throw new Error(`${path} has no place for the states of ${flow.name}: add the lines\n${begins}\n${ends}`);
    return `${text.slice(0, from + begins.length)}\n${stateDiagram(flow.table)}\n${text.slice(to)}`;
  }, readme);
}
