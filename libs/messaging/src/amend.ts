import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Rows } from '@yunshi/db/rows';
import type { Saga } from '@yunshi/saga/define';
import { advance, type SagaState } from '@yunshi/saga/run';
import type { SagaAmendment } from './handle.ts';
import { sagaRows, type SagaRow } from './store.ts';

/**
 * The sagas of this service, for a decision that needs one beside its own row. It is locked like any row: an answer that comes at the
 * same time is taken in before the decision or after it.
 */
export const sagasBeside: Rows<string, SagaRow> = sagaRows;

/**
 * Changes what a saga remembers while it waits for the answer of a step, for `Decision.amend`. The awaited step stays awaited, unless its
 * `when` leaves it out now: then the saga goes on. Refused where it does not wait there any more.
 */
export function amendSaga<D>(
  sagas: readonly Saga<D>[],
  row: SagaRow | undefined,
  { step, change }: { readonly step: string; readonly change: (data: D) => D },
): Result<SagaAmendment, 'not-awaited'> {
  const saga = sagas.find(({ name, version }) => name === row?.name && version === row.version);
  if (!row || !saga) return no('not-awaited');
  const state = row.state as SagaState<D>;
  const moved = advance(saga, state, { kind: 'amended', step, data: change(state.data) });
  return moved.ok ? ok({ saga, row, step, moved: moved.value }) : no('not-awaited');
}
