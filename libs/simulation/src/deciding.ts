import type { Engine } from '@yunshi/messaging/engine';
import type { Decision, Handler } from '@yunshi/messaging/handle';
import type { World } from './world.ts';

/** Handlers that break once in a while, before they decide anything: a fault of nobody's, such as a lack of memory. */
export function deciding(handlers: readonly Handler[], world: World): readonly Handler[] {
  const { decision } = world.wrapping;
  return handlers.map((handler) => ({
    ...handler,
    decide: (data: never, row: unknown, context: never): Decision<unknown> => {
      if (world.dice.chance(world.mix.breaks)) {
        world.strike(`decision broke: ${handler.on}`, () => handler.name);
        throw new Error('out of something');
      }
      const decided = handler.decide(data, row, context);
      return decision?.(decided, { name: handler.name, data, row }) ?? decided;
    },
  }));
}

/** The same decisions put in place of those of requests. */
export function writing(engine: Engine, { wrapping: { decision } }: World): Engine {
  if (!decision) return engine;
  return {
    ...engine,
    write: (how, data, idempotency) => {
      const decide: typeof how.decide = (asked, row, context) =>
        decision(how.decide(asked, row, context), { name: how.name, data: asked, row }) as ReturnType<typeof how.decide>;
      return engine.write({ ...how, decide }, data, idempotency);
    },
  };
}
