/** A clerk of the buying company, who does with the bank's pages what a person would: opens them, fills in their forms, presses their buttons. */
export class Clerk {
  readonly #bank: string;
  #cookie = '';

  /** @param bank where the sandbox's bank is */
  constructor(bank: string) {
    this.#bank = bank;
  }

  async login(user: string, customerNo = '8800000001'): Promise<this> {
    const form = { customer_no: customerNo, user, password: '000000', next: '/bank/vouchers' };
    const answer = await this.#post('/bank/login', form);
    if (answer.status !== 303) throw new Error(`${user} could not log in: ${answer.status}`);
    this.#cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    return this;
  }

  /** What a page says, as text. */
  async read(path: string): Promise<string> {
    return (await fetch(new URL(path, this.#bank), { headers: { cookie: this.#cookie } })).text();
  }

  /** 制单: checks the order and its payee, and hands the voucher in to a checker. @returns the status of the answer */
  async submit(page: string, checker: string): Promise<number> {
    return (await this.#post(page, { checker })).status;
  }

  /** 复核: opens the list of what waits, and decides on the voucher of this order. @returns the status, or nothing if it is not there */
  async decide(orderNumber: string, decision: 'approve' | 'reject'): Promise<number | undefined> {
    const list = await this.read('/bank/vouchers');
    const from = list.indexOf(orderNumber);
    const [, action] = /action="(\/bank\/vouchers\/V\d+)"/.exec(from < 0 ? '' : list.slice(from)) ?? [];
    return action === undefined ? undefined : (await this.#post(action, { decision })).status;
  }

  /**
   * 银联: presses the button of the marketplace's page, lets the browser hand the order over, and chooses the bank at UnionPay's.
   * @returns the bank's page
   */
  async throughUnionpay(page: string, bank: string): Promise<string> {
    const { action, fields } = await pressed(page);
    const handed = await this.#post(action, fields);
    const cashier = handed.headers.get('location');
    if (handed.status !== 303 || cashier === null)
      throw new Error(`UnionPay does not take the order: ${handed.status} ${await handed.text()}`);
    const chosen = await this.#post(cashier, { bank });
    const bankPage = chosen.headers.get('location');
    if (chosen.status !== 303 || bankPage === null) throw new Error(`the bank cannot be chosen: ${chosen.status}`);
    return bankPage;
  }

  #post(path: string, form: Record<string, string>): Promise<Response> {
    const headers = { cookie: this.#cookie, 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(form).toString();
    return fetch(new URL(path, this.#bank), { method: 'POST', redirect: 'manual', headers, body });
  }
}

/** What the marketplace's page has the browser post to UnionPay. */
export async function pressed(page: string): Promise<{ readonly action: string; readonly fields: Record<string, string> }> {
  const answer = await fetch(page, { method: 'POST' });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the page does not hand the order over: ${answer.status}`);
  const inputs = [...text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, plain(value ?? '')]);
  return { action: plain(/action="([^"]+)"/.exec(text)?.[1] ?? ''), fields: Object.fromEntries(inputs) as Record<string, string> };
}

const plain = (escaped: string): string =>
  escaped.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
