import type { FlowUnit } from '@yunshi/kernel/marketplace';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';

/** What a played provider says to a genuine call: pure, given what it remembers. */

export type ProviderInstance = {
  signId: string;
  productName: string;
  spec: string;
  status: 'active' | 'isolated' | 'reclaimed';
  expiresAt: string;
  login: string;
  password: string;
  ticket: string;
  /** Null where nothing is metered. Decimals, in `unit`. */
  flow: Meter | null;
};
export type Meter = { readonly total: string; readonly used: string; readonly unit: FlowUnit };

/**
 * Ways to misbehave, for tests and demonstrations.
 * `pending` is the protocol's own signId "0"; `lost-answer` does the work and hangs up, which is the case that hurts most.
 */
export const behaviours = [
  'pending',
  'error',
  'status-500',
  'garbage',
  'redirect',
  'huge',
  'timeout',
  'hang-up',
  'lost-answer',
  'decline',
] as const;
export type Behaviour = (typeof behaviours)[number];

export type Said = { status: number; body: string; headers?: Record<string, string> } | { silence: 'hang-up' | 'timeout' };

export const json = (body: unknown): Said => ({ status: 200, body: JSON.stringify(body) });

/** The answer when no script interferes. `instance` is what the call's order or signId names, after the call's effect. */
export function obey(request: SaasRequest, instance: ProviderInstance | undefined, siteUrl: string): Said {
  switch (request.action) {
    case 'verifyInterface':
      return json({ echoback: request.echoback });
    case 'createInstance':
      return instance === undefined ? json({ error: 'no instance was made' }) : json(createdAnswer(instance, siteUrl));
    case 'renewInstance':
    case 'expireInstance':
    case 'destroyInstance':
      return json({ success: instance === undefined ? 'false' : 'true' });
    case 'flowSetting':
      return json(instance?.flow ? { success: 'true' } : { success: 'false', info: 'nothing is metered in this unit' });
    case 'modifyInstance':
      return json(instance === undefined ? { success: 'false' } : { success: 'true', appInfo: { authUrl: ssoUrl(instance, siteUrl) } });
    case 'flowQuery':
      return json(instance?.flow ? measured(instance.flow) : { success: 'false' });
  }
}

/** The example of the document answers a boolean here, and strings everywhere else. */
const measured = ({ total, used, unit }: Meter): object => ({ success: true, totalFlow: total, costFlow: used, flowUnit: unit });

export function createdAnswer(instance: ProviderInstance, siteUrl: string): object {
  return {
    signId: instance.signId,
    appInfo: { website: `${siteUrl}/app`, authUrl: ssoUrl(instance, siteUrl) },
    additionalInfo: [
      { name: '账号', value: instance.login },
      { name: '初始密码', value: instance.password },
    ],
  };
}

const ssoUrl = (instance: ProviderInstance, siteUrl: string): string =>
  `${siteUrl}/sso?sign_id=${instance.signId}&ticket=${instance.ticket}`;

/** The answer of a scripted misbehaviour. */
export function misbehave(behaviour: Exclude<Behaviour, 'lost-answer'>, pending: object): Said {
  switch (behaviour) {
    case 'pending':
      return json(pending);
    case 'error':
      return json({ error: 'out of stock' });
    case 'status-500':
      return { status: 500, body: 'Internal Server Error' };
    case 'garbage':
      return { status: 200, body: '<html><body>系统维护中</body></html>' };
    case 'redirect':
      return { status: 302, body: '', headers: { location: 'http://169.254.169.254/latest/meta-data/' } };
    case 'huge':
      return { status: 200, body: `{"signId":"${'9'.repeat(2_000_000)}"}` };
    case 'decline':
      return json({ success: 'false' });
    case 'timeout':
    case 'hang-up':
      return { silence: behaviour };
  }
}
