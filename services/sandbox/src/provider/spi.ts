import { SpiCall, SpiSignIn } from '@yunshi/protocols/alibaba-spi/actions';
import { isGenuine, queryOf } from '@yunshi/protocols/alibaba-spi/signature';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { json } from './answer.ts';
import type { ProviderInstance, Said } from './answer.ts';
import type { ProviderBook } from './book.ts';
import { judge } from './judge.ts';
import type { Tongue } from './judge.ts';
import type { ProviderSandboxOptions } from './plugin.ts';
import { applicationPage, noEntryPage } from './pages.ts';

/** The played providers once more, for a marketplace that speaks Alibaba's SPI to them: endpoint …/spi, single sign-on …/spi-login. */

const Query = z.record(z.string(), z.string());
/** The age up to which a sign-on address is let in. */
const signInSecondsMax = 120;

export async function receiveSpi(
  book: ProviderBook,
  { wallNow, tokenOf }: Pick<ProviderSandboxOptions, 'wallNow' | 'tokenOf'>,
  call: { readonly providerId: string; readonly query: unknown; readonly siteUrl: string },
): Promise<Said> {
  const query = Query.safeParse(call.query);
  const { token: _token, ...params } = query.data ?? {};
  const parsed = SpiCall.safeParse(params);
  const verdict = query.success && isGenuine(query.data, tokenOf(call.providerId)) ? 'genuine' : 'forged';
  const arrival = {
    providerId: call.providerId,
    verdict,
    action: params['action'] ?? '?',
    text: queryOf(params),
    request: parsed.success ? understood(parsed.data, params) : undefined,
    // Providers are advised to call an instance by the number that the marketplace gave it.
    ...(parsed.data?.action === 'createInstance' && { named: parsed.data.orderBizId }),
    siteUrl: call.siteUrl,
  };
  return judge(book, arrival, spi, wallNow());
}

/** The call in the words that the played provider works by. */
function understood(call: SpiCall, params: Readonly<Record<string, string>>): SaasRequest {
  const about = { accountId: '', openId: '', requestId: '', productId: 0, resourceId: '' };
  switch (call.action) {
    case 'createInstance':
      return {
        action: 'createInstance',
        ...about,
        orderId: call.orderId,
        accountId: call.aliUid,
        productId: Number.parseInt(call.productCode, 10) || 0,
        resourceId: call.orderBizId,
        productInfo: {
          productName: `商品 ${call.productCode}`,
          isTrial: call.trial,
          spec: `${call.skuId}${params['Count'] === undefined ? '' : ` × ${params['Count']}`}`,
          timeSpan: '',
          timeUnit: '',
        },
      };
    case 'renewInstance':
      return { action: 'renewInstance', ...about, orderId: call.orderId, signId: call.instanceId, instanceExpireTime: call.expiredOn };
    case 'upgradeInstance':
      return { action: 'modifyInstance', ...about, orderId: call.orderId, signId: call.instanceId, spec: call.skuId };
    case 'expiredInstance':
      return { action: 'expireInstance', ...about, signId: call.instanceId };
    case 'releaseInstance':
      return { action: 'destroyInstance', ...about, orderId: '', signId: call.instanceId };
  }
}

const spi: Tongue = {
  pending: { instanceId: '0' },
  obey: (request, instance, siteUrl) => {
    if (request.action !== 'createInstance') return json({ success: instance === undefined ? 'false' : 'true' });
    return instance === undefined ? json({ error: 'no instance was made' }) : json(created(instance, siteUrl));
  },
};

const created = ({ signId, login, password, ticket }: ProviderInstance, siteUrl: string): object => ({
  instanceId: signId,
  appInfo: { frontEndUrl: `${siteUrl}/app`, authUrl: `${siteUrl}/spi-login`, username: login, password },
  info: { licenseKey: `LIC-${ticket.slice(0, 12)}` },
});

/** The buyer's browser comes with an address that the marketplace has signed. */
export function spiDoor(app: FastifyInstance, book: ProviderBook, { wallNow, tokenOf }: ProviderSandboxOptions): void {
  app.get('/sandbox/provider/:providerId/spi-login', async (request, reply) => {
    const { providerId } = z.object({ providerId: z.string() }).parse(request.params);
    const query = Query.safeParse(request.query);
    const asked = SpiSignIn.safeParse(query.data);
    const seconds = asked.success
      ? Math.abs(wallNow().getTime() - Date.parse(`${asked.data.timeStamp.replace(' ', 'T')}+08:00`)) / 1_000
      : NaN;
    const isLetIn = query.success && isGenuine(query.data, tokenOf(providerId)) && seconds <= signInSecondsMax;
    const instance = isLetIn && asked.success ? await book.instance(providerId, { signId: asked.data.instanceId }) : undefined;
    void reply.type('text/html; charset=utf-8').header('referrer-policy', 'no-referrer');
    return instance === undefined ? reply.code(403).send(noEntryPage()) : reply.send(applicationPage(instance, 'sso'));
  });
}
