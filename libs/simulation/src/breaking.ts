import type { Handler } from '@yunshi/messaging/handle';
import type { World } from './world.ts';

/** Handlers that break once in a while, before they decide anything: a fault of nobody's, such as a lack of memory. */
export function breaking(handlers: readonly Handler[], world: World): readonly Handler[] {
  return handlers.map((handler) => ({
    ...handler,
    decide: (data: never, row: unknown, context: never) => {
      if (world.dice.chance(world.mix.breaks)) {
        world.strike(`decision broke: ${handler.on}`, () => handler.name);
        throw new Error('out of something');
      }
      return handler.decide(data, row, context);
    },
  }));
}
