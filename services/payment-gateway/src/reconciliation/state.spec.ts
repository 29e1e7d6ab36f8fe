import { isTerminal, reachable } from '@yunshi/kernel/flow';
import type { UserId } from '@yunshi/kernel/ids';
import { describe, expect, test } from 'vitest';
import type { Finding } from './compare.ts';
import { begun, compared, decide, differenceFlow, propose, reconciliationFlow, unread, type Reconciliation } from './state.ts';

const noon = new Date('2026-03-02T04:00:00Z');
const finding = (number: string, change: Partial<Finding> = {}): Finding => ({
  class: 'amount',
  kind: 'payment',
  number,
  orderId: null,
  channelNo: '42',
  ours: 100,
  theirs: 101,
  explanation: '金额不符',
  mendable: false,
  ...change,
});
const fresh = begun('wechat_native', '2026-03-01', noon);
const run = (before: Reconciliation, findings: readonly Finding[]) => compared(before, { hash: 'a', lines: 3, findings }, noon);
const after = (...findings: Finding[]) => run(fresh, findings).reconciliation;
const [one, another] = ['usr_1' as UserId, 'usr_2' as UserId];
const id = 'wechat_native:2026-03-01:amount:payment:S1';
const proposal = { resolution: 'explained', reason: '渠道已更正', by: one } as const;
const proposed = (): Reconciliation => {
  const change = propose(after(finding('S1')), id, proposal);
  if (!change.ok) throw new Error(change.error);
  return change.value.reconciliation;
};

test.each([
  [reconciliationFlow, 'waiting', []],
  [differenceFlow, 'open', ['resolved']],
] as const)('every status of %o can be reached', (machine, start, ends) => {
  const table = machine as never;
  expect([...reachable(table, start as never)].toSorted()).toEqual([...machine.states].toSorted());
  expect(machine.states.filter((state) => isTerminal(table, state as never)).toSorted()).toEqual([...ends].toSorted());
});

describe('a reconciliation', () => {
  test('matches where nothing differs, and differs until all is settled', () => {
    expect(after().status).toBe('matched');
    expect(after(finding('S1')).status).toBe('differing');
  });

  test('that is run again changes nothing but that it ran', () => {
    const first = after(finding('S1'), finding('S2'));
    const again = run(first, [finding('S2'), finding('S1')]);
    expect(again.reconciliation).toEqual({ ...first, runs: 2 });
    expect(again.fresh).toEqual([]);
  });

  test('forgets no decision when it is run again', () => {
    const approved = decide(proposed(), id, { verdict: 'approve', by: another, now: noon });
    if (!approved.ok) throw new Error(approved.error);
    const again = run(approved.value.reconciliation, [finding('S1')]).reconciliation;
    expect(again.differences).toMatchObject([{ status: 'resolved', decidedBy: another }]);
    expect(again.status).toBe('matched');
  });

  test('lets a difference go that is not found any more, and finds it anew when it comes back', () => {
    const gone = run(after(finding('S1')), []).reconciliation;
    expect(gone).toMatchObject({ status: 'matched', differences: [{ status: 'gone' }] });
    const back = run(gone, [finding('S1')]);
    expect(back.reconciliation).toMatchObject({ status: 'differing', differences: [{ status: 'open' }] });
    expect(back.fresh).toHaveLength(1);
  });

  test('whose bill cannot be used is asked for eight times, then somebody must look', () => {
    let row = fresh;
    for (let times = 1; times < 8; times++) row = unread(row, 'its hash is wrong', noon);
    expect(row.status).toBe('waiting');
    expect(unread(row, 'its hash is wrong', noon).status).toBe('failed');
    expect(run(unread(row, 'its hash is wrong', noon), []).reconciliation).toMatchObject({ status: 'matched', failure: null });
  });

  test('waits as long as it takes for a bill that is not made yet', () => {
    let row = fresh;
    for (let times = 0; times < 20; times++) row = unread(row, null, noon);
    expect(row.status).toBe('waiting');
  });
});

describe('a difference', () => {
  test('is settled by two persons, never by one', () => {
    expect(decide(proposed(), id, { verdict: 'approve', by: one, now: noon })).toEqual({ ok: false, error: 'second-person-needed' });
    expect(decide(proposed(), id, { verdict: 'approve', by: another, now: noon })).toMatchObject({
      ok: true,
      value: { reconciliation: { status: 'matched' }, difference: { status: 'resolved', proposedBy: one, decidedBy: another } },
    });
  });

  test('is open again when the second person does not agree, and may be taken back by the first', () => {
    for (const by of [one, another]) {
      expect(decide(proposed(), id, { verdict: 'reject', by, now: noon })).toMatchObject({
        ok: true,
        value: { reconciliation: { status: 'differing' }, difference: { status: 'open', proposedBy: null } },
      });
    }
  });

  test('that nobody has proposed for cannot be approved, and one that is proposed cannot be proposed again', () => {
    expect(decide(after(finding('S1')), id, { verdict: 'approve', by: another, now: noon })).toEqual({
      ok: false,
      error: 'difference-not-proposed',
    });
    expect(propose(proposed(), id, proposal)).toEqual({ ok: false, error: 'difference-settled' });
    expect(propose(proposed(), 'nobody', proposal)).toEqual({ ok: false, error: 'not-found' });
  });

  test('of equal amounts leaves nothing to adjust', () => {
    const state = after(finding('S1', { class: 'amount', ours: 100, theirs: 100 }));
    expect(propose(state, id, { ...proposal, resolution: 'adjusted' })).toEqual({ ok: false, error: 'nothing-to-adjust' });
  });
});
