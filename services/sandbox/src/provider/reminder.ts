import { signTc3 } from '@yunshi/protocols/tencent-cloud/tc3';
import type { CloudKey, Metered } from './book.ts';

/** A played provider calls the marketplace of its own accord: `FlowProductRemind` of the cloud's API `market`, signed by TC3-HMAC-SHA256. */

export type Reminded = { readonly ok: true; readonly flowId: string } | { readonly ok: false; readonly why: string };

const answerMsMax = 5_000;

export async function remind(
  key: CloudKey,
  of: { readonly providerId: string; readonly signId: string },
  metered: Metered,
  now: Date,
): Promise<Reminded> {
  const { flow, resourceId, left } = metered;
  const parameters = {
    ProviderUin: of.providerId,
    SignId: of.signId,
    ResourceId: resourceId,
    TotalFlow: flow.total,
    LeftFlow: left,
    FlowUnit: flow.unit,
  };
  const url = new URL('/', key.endpoint);
  const body = JSON.stringify(parameters);
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const date = now.toISOString().slice(0, 10);
  const signed = { 'content-type': 'application/json; charset=utf-8', host: url.host };
  const names = Object.keys(signed);
  const call = { method: 'POST', path: '/', query: '', headers: signed, body };
  const signature = signTc3(call, { secret: key.secretKey, date, service: 'market', names, timestamp });
  try {
    const response = await fetch(url, {
      method: 'POST',
      signal: AbortSignal.timeout(answerMsMax),
      headers: {
        'content-type': signed['content-type'],
        'x-tc-action': 'FlowProductRemind',
        'x-tc-version': '2019-10-10',
        'x-tc-timestamp': timestamp,
        authorization: `TC3-HMAC-SHA256 Credential=${key.secretId}/${date}/market/tc3_request, SignedHeaders=${names.join(';')}, Signature=${signature}`,
      },
      body,
    });
    const { Response } = (await response.json()) as { Response?: { FlowId?: string; Error?: { Code: string; Message: string } } };
    if (Response?.FlowId !== undefined) return { ok: true, flowId: Response.FlowId };
    return { ok: false, why: Response?.Error ? `${Response.Error.Code}: ${Response.Error.Message}` : `HTTP ${response.status}` };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}
