import { z } from 'zod';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { findAudit, type Act } from '@yunshi/messaging/audit';
import {
  countOpen,
  discardLetters,
  eventRetryDays,
  findGroups,
  findLetter,
  findLetters,
  retryLetters,
  type GroupRow,
  type LetterRow,
} from '@yunshi/messaging/letters';
import { History, shownAct } from './audit.ts';
import type { Operated } from './operated.ts';
import { Problem } from './problems.ts';
import { readable, redacted } from './redact.ts';

const Time = z.iso.datetime({ offset: true });
const Source = z.enum(['message', 'deadline', 'call']);
const State = z.enum(['open', 'retried', 'discarded']);
const Name = z.string().max(200).meta({ description: 'Subject of the message, kind of the deadline or of the call' });
const ErrorClass = z.string().max(200).meta({ description: 'The error without what differs from case to case' });
const historyMax = 50;

const letter = {
  letter_id: z.string(),
  source: Source,
  name: z.string(),
  state: State,
  error_class: z.string(),
  error: z.string(),
  attempts: z.int().meta({ description: 'In the last round' }),
  retries: z.int().meta({ description: 'How often operators have had it tried again' }),
  first_at: Time.meta({ description: 'When it was buried for the first time' }),
  at: Time.meta({ description: 'When it was buried the last time' }),
};
const ShownLetter = z.object(letter).meta({ id: 'DeadLetter', description: 'Something that could not be handled after all its attempts' });
const ShownLetterWithBody = z
  .object({
    ...letter,
    message_id: z.string().nullable(),
    headers: z.record(z.string(), z.unknown()),
    body: z.unknown().meta({ description: 'JSON where it was JSON; members that hold secrets are hidden' }),
    history: History,
  })
  .meta({ id: 'DeadLetterWithBody' });
const ShownGroup = z
  .object({
    source: Source,
    name: z.string(),
    error_class: z.string(),
    letters: z.int(),
    retries: z.int(),
    first_at: Time,
    last_at: Time,
  })
  .meta({ id: 'DeadLetterGroup', description: 'Open dead letters with one cause' });

const ListQuery = z.strictObject({
  ...listQuery,
  state: State.optional(),
  source: Source.optional(),
  name: Name.optional(),
  error_class: ErrorClass.optional(),
});
const Params = z.object({ letter_id: z.string().max(64) });
const reason = z.string().trim().min(1).max(500);
const Group = { name: Name, error_class: ErrorClass };
const Acted = z
  .object({
    acted: z.array(z.string()).meta({ description: 'Ids of the letters' }),
    left: z.int().meta({ description: 'Letters of the group that are still open; ask again for them' }),
  })
  .meta({ id: 'DeadLettersActedOn' });

const config = { access: ['operator'] } as const;
const tags = ['operations'];
const byNewest = keyset(z.tuple([z.int()]));

function shown(row: LetterRow): z.infer<typeof ShownLetter> {
  return {
    letter_id: String(row.seq),
    source: row.source,
    name: row.name,
    state: row.state,
    error_class: row.errorClass,
    error: String(redacted(row.error)),
    attempts: row.attempts,
    retries: row.retries,
    first_at: row.firstAt.toISOString(),
    at: row.at.toISOString(),
  };
}

const shownGroup = (row: GroupRow): z.infer<typeof ShownGroup> => ({
  source: row.source,
  name: row.name,
  error_class: row.errorClass,
  letters: row.letters,
  retries: row.retries,
  first_at: row.firstAt.toISOString(),
  last_at: row.lastAt.toISOString(),
});

/** What has no number is no letter of ours. */
const seqOf = (letterId: string): number => (/^\d{1,15}$/.test(letterId) ? Number(letterId) : 0);

/** The dead letters of a service: to look at, and to act on. */
export const deadLetterRoutes =
  (operated: Operated): Routes =>
  async (app) => {
    await app.register(readRoutes(operated));
    await app.register(actRoutes(operated));
    await app.register(groupRoutes(operated));
  };

const readRoutes =
  ({ service, core: { sql } }: Operated): Routes =>
  async (app) => {
    app.get(
      `/v1/ops/${service}/dead-letters`,
      {
        config: { ...config, problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: `Dead letters of the service ${service}, newest first`,
          querystring: ListQuery,
          response: { 200: pageOf(ShownLetter) },
        },
      },
      async (request) => {
        const { limit, cursor, state, source, name, error_class: errorClass } = request.query;
        const found = await findLetters(sql, { state, source, name, errorClass, before: byNewest.after(cursor)?.[0], limit: limit + 1 });
        return byNewest.page(found, limit, (row) => [row.seq], shown);
      },
    );

    app.get(
      `/v1/ops/${service}/dead-letters/groups`,
      {
        config,
        schema: {
          tags,
          summary: `Open dead letters of the service ${service} by what failed and how, the largest group first`,
          response: { 200: z.object({ items: z.array(ShownGroup) }) },
        },
      },
      async () => ({ items: (await findGroups(sql)).map(shownGroup) }),
    );

    app.get(
      `/v1/ops/${service}/dead-letters/:letter_id`,
      {
        config: { ...config, problems: Problem.codes('not-found') },
        schema: {
          tags,
          summary: 'A dead letter with its body, and what was done to it',
          params: Params,
          response: { 200: ShownLetterWithBody },
        },
      },
      async (request) => {
        const row = await findLetter(sql, seqOf(request.params.letter_id));
        if (!row) throw new Problem('not-found');
        const history = await findAudit(sql, { object: `dead-letter:${row.seq}`, limit: historyMax });
        return {
          ...shown(row),
          message_id: row.messageId,
          headers: redacted(row.headers) as Record<string, unknown>,
          body: readable(row.body),
          history: history.map(shownAct),
        };
      },
    );
  };

const actRoutes =
  ({ service, core: { sql, clock } }: Operated): Routes =>
  async (app) => {
    app.post(
      `/v1/ops/${service}/dead-letters/:letter_id/retry`,
      {
        config: { ...config, problems: Problem.codes('not-found', 'dead-letter-not-open', 'dead-letter-too-old') },
        schema: {
          tags,
          summary: 'Have a dead letter handled again',
          description:
            'A message goes to its stream again, with the id and the body that it had, within 40 seconds at most; a deadline falls due; a call is made again. Nothing counts twice.',
          params: Params,
          body: z.strictObject({ reason: reason.optional() }),
          response: { 202: ShownLetter },
        },
      },
      async (request, reply) => {
        const seq = seqOf(request.params.letter_id);
        const act = { actor: callerOf(request).userId, reason: request.body.reason };
        const acted = await retryLetters(sql, { seq }, act, clock.now());
        return reply.code(202).send(shown(await actedOn(sql, seq, acted, 'retry')));
      },
    );

    app.post(
      `/v1/ops/${service}/dead-letters/:letter_id/discard`,
      {
        config: { ...config, problems: Problem.codes('not-found', 'dead-letter-not-open') },
        schema: {
          tags,
          summary: 'Lay a dead letter aside for good',
          params: Params,
          body: z.strictObject({ reason }),
          response: { 200: ShownLetter },
        },
      },
      async (request) => {
        const seq = seqOf(request.params.letter_id);
        const acted = await discardLetters(sql, { seq }, { actor: callerOf(request).userId, reason: request.body.reason });
        return shown(await actedOn(sql, seq, acted, 'discard'));
      },
    );
  };

/** The letter as it is after the act, or the problem that kept it from happening. */
async function actedOn(sql: Operated['core']['sql'], seq: number, acted: readonly number[], what: 'retry' | 'discard'): Promise<LetterRow> {
  const row = await findLetter(sql, seq);
  if (!row) throw new Problem('not-found');
  if (acted.length > 0) return row;
  if (row.state !== 'open' || what === 'discard') throw new Problem('dead-letter-not-open', { detail: `It is ${row.state}.` });
  throw new Problem('dead-letter-too-old', { detail: `Events are retried for ${eventRetryDays} days.` });
}

const groupRoutes =
  ({ service, core: { sql, clock } }: Operated): Routes =>
  async (app) => {
    const acting = (summary: string, body: z.ZodType<GroupAsked>) => ({
      config,
      schema: { tags, summary, description: 'A thousand letters at a time, oldest first.', body, response: { 202: Acted } },
    });
    const answer = async (group: GroupAsked, act: (which: Which) => Promise<readonly number[]>) => {
      const which = { name: group.name, errorClass: group.error_class };
      const acted = await act(which);
      return { acted: acted.map(String), left: await countOpen(sql, which) };
    };
    app.post(
      `/v1/ops/${service}/dead-letters/retry`,
      acting('Have a group of dead letters handled again', z.strictObject({ ...Group, reason: reason.optional() })),
      async (request, reply) => {
        const act: Act = { actor: callerOf(request).userId, reason: request.body.reason };
        return reply.code(202).send(await answer(request.body, (which) => retryLetters(sql, which, act, clock.now())));
      },
    );
    app.post(
      `/v1/ops/${service}/dead-letters/discard`,
      acting('Lay a group of dead letters aside for good', z.strictObject({ ...Group, reason })),
      async (request, reply) => {
        const act: Act = { actor: callerOf(request).userId, reason: request.body.reason };
        return reply.code(202).send(await answer(request.body, (which) => discardLetters(sql, which, act)));
      },
    );
  };

type Which = { readonly name: string; readonly errorClass: string };
type GroupAsked = { readonly name: string; readonly error_class: string; readonly reason?: string | undefined };
