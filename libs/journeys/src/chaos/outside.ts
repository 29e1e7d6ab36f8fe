import { demoProviders } from '@yunshi/contracts/demo-world';
import type { Sql } from '@yunshi/db/connect';
import type { Shopper } from '../shopper.ts';
import type { Nemesis } from './nemesis.ts';

type Outside = { readonly shopper: Shopper; readonly sql: Sql };

/** What WeChat Pay can get wrong and then right again. Refunds that end ABNORMAL or CLOSED need a person, so they are not among these. */
const mishaps = [
  'payment-fails',
  'paid-before-close',
  'callback-late',
  'callback-lost',
  'callback-never',
  'call-fails',
  'call-throttled',
  'answer-lost',
  'answer-forged',
  'refund-unfunded',
] as const;
const behaviours = ['pending', 'error', 'status-500', 'garbage', 'redirect', 'huge', 'timeout', 'hang-up', 'lost-answer'] as const;
const timesMost = 5;

/** WeChat Pay does one of these for the next few times. */
export const channelMisbehaves = ({ shopper, sql }: Outside): Nemesis => ({
  kind: 'WeChat Pay misbehaves',
  async strike(random) {
    const armed = random.shuffled(mishaps).slice(0, 3);
    const times = 1 + random.below(timesMost);
    for (const what of armed) await shopper.arm(what, times);
    return {
      target: `${armed.join(', ')} × ${times}`,
      async seen() {
        const [left] = await sql<{ left: number }[]>`select coalesce(sum(times), 0)::int as left from svc_sandbox.wechat_switches`;
        return armed.length * times - left!.left;
      },
      heal: async () => void (await shopper.outside('DELETE', '/sandbox/wechat/next')),
    };
  },
});

/** The provider that delivers most is slow, silent or wrong for the next few calls. */
export const providerMisbehaves = ({ shopper, sql }: Outside): Nemesis => ({
  kind: 'a provider misbehaves',
  async strike(random) {
    const desk = `/sandbox/provider/${demoProviders.fanying.providerId}/script`;
    const behaviour = random.pick(behaviours);
    const times = 1 + random.below(timesMost);
    await shopper.outside('POST', desk, { action: 'createInstance', behaviour, times });
    return {
      target: `${behaviour} × ${times}`,
      async seen() {
        const [left] = await sql<{ left: number }[]>`
          select coalesce(sum(remaining), 0)::int as left from svc_sandbox.provider_scripts
          where provider_id = ${demoProviders.fanying.providerId} and remaining is not null`;
        return times - left!.left;
      },
      heal: async () => void (await shopper.outside('POST', `${desk}/clear`, {})),
    };
  },
});
