import { withinMsDefault } from '@yunshi/messaging/saga-rows';
import { sagas, type SagaFound } from './discover.ts';
import { banner, code, fenced, page, table } from './markdown.ts';

type Step = SagaFound['steps'][number];

/** Every saga: its steps as a table and as a diagram. */
export async function sagasPage(): Promise<string> {
  const sections = (await sagas()).toSorted((one, other) => (one.name < other.name ? -1 : 1)).flatMap(section);
  return page(
    banner('the saga definitions'),
    '# Sagas',
    'Steps run from top to bottom. A *compensable* step that is refused turns the saga back: the steps before it are undone, from the last to the first. One that is silent past its time, or stopped by its buyer, is undone as well: it may have happened. ' +
      'The *pivot* is the point of no return: refused, everything is undone; answered, the saga only goes forward. *Retriable* steps are asked until they answer.',
    ...sections,
  );
}

function section(saga: SagaFound): readonly string[] {
  return [
    `## ${saga.name} v${saga.version}`,
    `Run by **${saga.service}**, defined in ${code(saga.file)}.`,
    table(['step', 'kind', 'asks', 'goes on with', 'is refused with', 'waits', 'is undone by'], saga.steps.map(row)),
    fenced('mermaid', diagram(saga)),
  ];
}

const refusals = ({ send, on }: Step): readonly string[] => Object.keys(send?.replies ?? {}).filter((name) => name !== on);

function row(step: Step): readonly string[] {
  const { name, kind, send, on, undo, when } = step;
  return [
    name + (when ? ' *(if it applies)*' : ''),
    send ? kind : 'before it',
    send ? code(send.type) : '',
    on ? code(on) : '',
    kind === 'retriable' ? '' : refusals(step).map(code).join(', '),
    send ? patience(step) : '',
    undo ? code(undo.type) : '',
  ];
}

function patience({ kind, within }: Step): string {
  if (kind !== 'compensable') return 'asked again until it answers';
  if (typeof within === 'number') return within % 60_000 === 0 ? `${within / 60_000} min` : `${within / 1_000} s`;
  return within ? 'until a time of its own' : `${withinMsDefault / 60_000} min`;
}

function diagram({ steps }: SagaFound): string {
  const asked = steps.map((step, index) => ({ step, id: `s${index}` }));
  const lines = ['flowchart TB'];
  for (const { step, id } of asked) {
    const text = step.send ? `${step.name}<br/><i>${step.send.type}</i>` : step.name;
    lines.push(`  ${id}${step.kind === 'pivot' ? `{{"${text}"}}` : `["${text}"]`}`);
    if (step.undo) lines.push(`  u${id}(["${step.undo.type}"])`);
  }
  lines.push('  done(["completed"])', '  back(["rolled back"])');
  for (const [index, { step, id }] of asked.entries()) {
    const before = asked.slice(0, index).findLast((one) => one.step.undo);
    const undoBefore = before ? `u${before.id}` : 'back';
    lines.push(`  ${id} -->${step.on ? `|${step.on}|` : ''} ${asked[index + 1]?.id ?? 'done'}`);
    // A refused step did nothing; a silent one may have, and is undone itself.
    if (step.kind !== 'retriable' && refusals(step).length > 0) lines.push(`  ${id} -.->|${refusals(step).join(', ')}| ${undoBefore}`);
    if (step.kind === 'compensable' && step.send) lines.push(`  ${id} -.->|too late| u${id}`);
    if (step.undo) lines.push(`  u${id} -.-> ${undoBefore}`);
  }
  return lines.join('\n');
}
