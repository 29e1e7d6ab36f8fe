import { NotSo, type Voice } from './voice.ts';

/** The bank's own pages, used as a clerk's browser would: a login, forms, a cookie. The sandbox plays every bank. */
export type Clerk = {
  /** 制单: hands the voucher of this page in to a checker. Answers the order's number at the channel, which the page shows. */
  readonly handIn: (page: string, checker: string) => Promise<string>;
  /** 复核: approves the voucher of this order. */
  readonly approve: (orderNumber: string) => Promise<void>;
};

const CUSTOMER_NO = '8800000001';

/** @param user `zhidan` makes vouchers, `fuhe1` checks them */
export async function clerkAt(bank: string, user: string, voice: Voice): Promise<Clerk> {
  const request = async (path: string, cookie: string, form?: Record<string, string>) => {
    const headers = { cookie, ...(form && { 'content-type': 'application/x-www-form-urlencoded' }) };
    const body = form && new URLSearchParams(form).toString();
    const signal = AbortSignal.timeout(20_000);
    const method = form ? 'POST' : 'GET';
    const answer = await fetch(new URL(path, bank), { method, headers, redirect: 'manual', signal, ...(body !== undefined && { body }) });
    return { status: answer.status, page: await answer.text(), cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
  };
  const login = { customer_no: CUSTOMER_NO, user, password: '000000', next: '/bank/vouchers' };
  const { status, cookie } = await request('/bank/login', '', login);
  voice.check(`${user} has logged in at the bank with customer number ${CUSTOMER_NO}`, status === 303 && cookie !== '');
  return {
    handIn: async (page, checker) => {
      const [number] = /C[0-9a-z]{25}/.exec((await request(page, cookie)).page) ?? [];
      if (number === undefined) throw new NotSo('the bank’s page shows the order', page);
      const done = await request(page, cookie, { checker });
      voice.check(`the voucher of ${number} is handed in to ${checker}`, done.status === 200, done.status);
      return number;
    },
    approve: async (orderNumber) => {
      const { page } = await request('/bank/vouchers', cookie);
      const from = page.indexOf(orderNumber);
      const [, action = ''] = /action="(\/bank\/vouchers\/V\d+)"/.exec(from < 0 ? '' : page.slice(from)) ?? [];
      voice.check('the voucher waits in the checker’s list', action !== '');
      const done = await request(action, cookie, { decision: 'approve' });
      voice.check(`${user} approves it, and the bank pays`, done.status === 200, done.status);
    },
  };
}
