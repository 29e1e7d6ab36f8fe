/** `/v3/ecommerce/profitsharing/…` and `/v3/ecommerce/fund/…`: what a merchant does with money that was paid. */
import { WithdrawRequest } from '@yunshi/protocols/wechat/fund';
import {
  FinishRequest,
  ReceiverAdding,
  ReceiverDeleting,
  ShareReturnRequest,
  SharingRequest,
} from '@yunshi/protocols/wechat/profit-sharing';
import { activeTraceparent } from '@yunshi/telemetry/trace';
import type { FastifyInstance } from 'fastify';
import type { WechatPay } from './wechat-pay.ts';
import { answer, read } from './wire.ts';

type Query = { readonly [name in 'sub_mchid' | 'out_order_no' | 'order_id' | 'out_return_no']?: string };

export function fundRoutes(app: FastifyInstance, pay: WechatPay): void {
  const sharing = '/v3/ecommerce/profitsharing';
  app.post(`${sharing}/orders`, async (request, reply) => {
    const ask = read(SharingRequest, request);
    return answer(reply, ask.ok ? await pay.share(ask.value) : ask);
  });
  app.get<{ Querystring: Query }>(`${sharing}/orders`, async ({ query }, reply) =>
    answer(reply, await pay.queryShare(query.out_order_no ?? '', query.sub_mchid ?? '')),
  );
  app.get<{ Params: { number: string } }>(`${sharing}/orders/:number/amounts`, async ({ params }, reply) =>
    answer(reply, await pay.unsplit(params.number)),
  );
  app.post(`${sharing}/finish-order`, async (request, reply) => {
    const ask = read(FinishRequest, request);
    return answer(reply, ask.ok ? await pay.finishSharing(ask.value) : ask);
  });
  app.post(`${sharing}/returnorders`, async (request, reply) => {
    const ask = read(ShareReturnRequest, request);
    return answer(reply, ask.ok ? await pay.returnShare(ask.value) : ask);
  });
  app.get<{ Querystring: Query }>(`${sharing}/returnorders`, async ({ query }, reply) => {
    const by = { subMchid: query.sub_mchid ?? '', outOrderNo: query.out_order_no, orderId: query.order_id };
    return answer(reply, await pay.queryReturn(query.out_return_no ?? '', by));
  });
  app.post(`${sharing}/receivers/add`, async (request, reply) => {
    const ask = read(ReceiverAdding, request);
    return answer(reply, ask.ok ? await pay.addReceiver(ask.value) : ask);
  });
  app.post(`${sharing}/receivers/delete`, async (request, reply) => {
    const ask = read(ReceiverDeleting, request);
    return answer(reply, ask.ok ? await pay.deleteReceiver(ask.value) : ask);
  });

  const fund = '/v3/ecommerce/fund';
  type Numbered = { Params: { number: string }; Querystring: Query };
  app.get<Numbered>(`${fund}/balance/:number`, async ({ params }, reply) => answer(reply, await pay.balance(params.number)));
  app.post(`${fund}/withdraw`, async (request, reply) => {
    const ask = read(WithdrawRequest, request);
    return answer(reply, ask.ok ? await pay.withdraw(ask.value, { traceparent: activeTraceparent() }) : ask);
  });
  app.get<Numbered>(`${fund}/withdraw/out-request-no/:number`, async ({ params, query }, reply) =>
    answer(reply, await pay.queryWithdrawal({ outRequestNo: params.number }, query.sub_mchid ?? '')),
  );
  app.get<Numbered>(`${fund}/withdraw/:number`, async ({ params, query }, reply) =>
    answer(reply, await pay.queryWithdrawal({ withdrawId: params.number }, query.sub_mchid ?? '')),
  );
}
