import type { Answer, Ask, Egress } from '@yunshi/protocols/egress';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import { misbehave, obey, type ProviderInstance, type Said } from '@yunshi/sandbox/provider/answer';
import { tencent } from '@yunshi/sandbox/provider/judge';
import { never } from '../ports/never.ts';
import type { Process } from '../process.ts';
import type { World } from '../world.ts';

/** What a provider has made for an order. */
type Made = ProviderInstance & { readonly orderId: string };

const answerMsMax = 5_000;
const slowMsMax = 25_000;
const illnesses = ['pending', 'pending', 'error', 'status-500', 'garbage', 'timeout', 'hang-up', 'lost-answer', 'lost-answer'] as const;

/** The provider of the SaaS product: its own book of instances, the sandbox's answers, and bad days. */
export class Providers {
  /** By signId. */
  readonly instances = new Map<string, Made>();
  readonly #world: World;
  readonly #illness: (typeof illnesses)[number];
  /** Business time until which it is ill. */
  readonly #illUntil: number;

  constructor(world: World) {
    this.#world = world;
    const { dice, mix } = world;
    this.#illness = dice.pick(illnesses);
    const isIll = dice.chance(mix.providerSick);
    this.#illUntil = isIll ? world.now().getTime() + dice.spread(mix.sickMsMin, mix.sickMsMax) : 0;
    if (isIll) world.tell(() => `the provider is ill: ${this.#illness} until ${new Date(this.#illUntil).toISOString()}`);
  }

  /** The way from one process to the provider and back. */
  doorFor(process: Process): Egress {
    return { send: (ask) => this.#send(process, ask), close: () => Promise.resolve() };
  }

  #send(process: Process, { body = '' }: Ask): Promise<Answer> {
    const { world } = process;
    const { dice, loop } = world;
    if (process.dies('outside call, before')) return never;
    return new Promise((resolve) => {
      let isAnswered = false;
      const answer = (heard: Answer): void => {
        if (isAnswered || process.dies('outside call, after')) return;
        isAnswered = true;
        world.tell(() => `${process.name} hears of the provider: ${JSON.stringify(heard).slice(0, 160)}`);
        resolve(heard);
      };
      const fails = (failure: 'timeout' | 'reset' | 'connect', sent: boolean): Answer => ({
        kind: 'failed',
        failure,
        sent,
        detail: failure,
        ms: 1,
      });
      const giveUp = loop.after(answerMsMax, () => answer(fails('timeout', true)));
      if (dice.chance(world.mix.outsideRefuses)) {
        giveUp();
        return answer(fails('connect', false));
      }
      if (dice.chance(world.mix.outsideLost)) return world.strike('outside call lost', () => 'to the provider');
      const slow = dice.chance(world.mix.outsideSlow) ? dice.spread(1_000, slowMsMax) : world.latency();
      loop.after(slow, () => {
        const said = this.#serve(JSON.parse(body) as SaasRequest);
        if ('silence' in said && said.silence === 'timeout') return;
        if (dice.chance(world.mix.outsideUnheard)) return world.strike('outside call carried out, answer lost', () => 'of the provider');
        loop.after(world.latency(), () => {
          giveUp();
          answer('silence' in said ? fails('reset', true) : { kind: 'answered', headers: {}, address: '192.0.2.1', ms: 1, ...said });
        });
      });
    });
  }

  #serve(request: SaasRequest): Said {
    const isIll = this.#world.now().getTime() < this.#illUntil;
    if (isIll && this.#illness !== 'lost-answer') {
      this.#world.strike(`provider: ${this.#illness}`);
      return misbehave(this.#illness, tencent.pending);
    }
    const instance = this.#do(request);
    if (isIll) this.#world.strike('provider: lost-answer');
    return isIll ? { silence: 'hang-up' } : obey(request, instance, 'https://provider.test');
  }

  /** Does what is asked, as the sandbox's book does; the same order makes the same instance, however often it is asked. */
  #do(request: SaasRequest): Made | undefined {
    switch (request.action) {
      case 'createInstance': {
        const known = this.#ofOrder(request.orderId);
        if (known) return known.status === 'reclaimed' ? undefined : known;
        const made: Made = {
          orderId: request.orderId,
          signId: `s${this.instances.size + 1}`,
          productName: request.productInfo.productName,
          spec: request.productInfo.spec,
          status: 'active',
          expiresAt: '',
          login: 'login',
          password: 'password',
          ticket: 'ticket',
          flow: null,
        };
        this.instances.set(made.signId, made);
        return made;
      }
      case 'expireInstance':
        return this.#become(this.instances.get(request.signId), 'isolated');
      case 'destroyInstance':
        return this.#become(
          this.instances.get(request.signId) ?? (request.signId === '0' ? this.#ofOrder(request.orderId) : undefined),
          'reclaimed',
        );
      default:
        return undefined;
    }
  }

  #ofOrder(orderId: string): Made | undefined {
    return [...this.instances.values()].find((one) => one.orderId === orderId);
  }

  #become(instance: Made | undefined, status: Made['status']): Made | undefined {
    if (!instance) return undefined;
    const changed = { ...instance, status: instance.status === 'reclaimed' ? instance.status : status };
    this.instances.set(instance.signId, changed);
    return changed;
  }
}
