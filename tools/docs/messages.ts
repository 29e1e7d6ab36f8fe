import { contracts, sagas, uses, type Contract, type SagaFound, type Use } from './discover.ts';
import { banner, code, fenced, page } from './markdown.ts';
import { shapeOf } from './shape.ts';

/** Every message, under the service that owns it. */
export async function messagesPage(): Promise<string> {
  const [all, running, used] = [await contracts(), await sagas(), uses()];
  const owners = [...new Set(all.map(({ service }) => service))].toSorted();
  const sections = owners.flatMap((owner) => [
    `## ${owner}`,
    ...all
      .filter(({ service }) => service === owner)
      .toSorted((one, other) => order(one) - order(other) || (one.type < other.type ? -1 : 1))
      .flatMap((contract) => section(contract, running, used.get(contract.exportName) ?? [])),
  ]);
  return page(
    banner('libs/contracts, the sagas and the handlers of the services'),
    '# Messages',
    'Commands ask one service to do one thing and are answered by one of their replies; events tell what has happened; queries ask and change nothing. ' +
      "`DateTime` is RFC 3339 with an offset, amounts are fen, `'ord_…'` is an id with that prefix. A field with `?` may be left out.",
    ...sections,
  );
}

const order = ({ kind }: Contract): number => ['command', 'event', 'query'].indexOf(kind);

function section(contract: Contract, running: readonly SagaFound[], used: readonly Use[]): readonly string[] {
  const facts = [
    `**${contract.kind}** on ${code(contract.subject)}, ${code(contract.exportName)} in ${code(contract.file)}.`,
    ...dealings(contract, running, used),
  ];
  const parts = [`### ${contract.type} v${contract.version}`, contract.comment, facts.join('  \n'), fenced('ts', shapeOf(contract.data))];
  if (contract.kind === 'command')
    parts.push(
      ...Object.entries(contract.replies).map(([name, shape]) => {
        const text = shapeOf(shape);
        return text === '{}' ? `Replies ${code(name)}, without data.` : `Replies ${code(name)}:\n\n${fenced('ts', text)}`;
      }),
    );
  if (contract.kind === 'query') parts.push(`Answer:\n\n${fenced('ts', shapeOf(contract.answer))}`);
  return parts;
}

const verbs: Readonly<Record<Use['how'], string>> = {
  handles: 'Handled by',
  listens: 'Listened to by',
  answers: 'Answered by',
  asks: 'Asked by',
  makes: 'Told by',
};

function dealings(contract: Contract, running: readonly SagaFound[], used: readonly Use[]): readonly string[] {
  const sent = running.flatMap((saga) =>
    saga.steps.flatMap((step) => [
      ...(isSame(step.send, contract) ? [`${code(saga.name)} to ${code(step.name)}`] : []),
      ...(isSame(step.undo, contract) ? [`${code(saga.name)} to undo ${code(step.name)}`] : []),
    ]),
  );
  const lines = sent.length > 0 ? [`Sent by the saga ${sent.join(', ')}.`] : [];
  for (const how of ['makes', 'asks', 'handles', 'listens', 'answers'] as const) {
    const services = [...new Set(used.filter((use) => use.how === how).map(({ service }) => service))].toSorted();
    if (services.length > 0) lines.push(`${verbs[how]} ${services.join(', ')}.`);
  }
  return lines;
}

const isSame = (one: { type: string; version: number } | undefined, other: Contract): boolean =>
  one?.type === other.type && one.version === other.version;
