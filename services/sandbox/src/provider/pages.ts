import { Html, html } from '../html.ts';
import type { StoredInstance, StoredRequest, StoredScript } from './book.ts';
import { behaviours } from './answer.ts';

/** The pages a person sees: the provider's desk, the application's front door, and the room behind it. No scripts, so nothing to inject into. */

const style = `
  body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0; color: #1f2329; background: #f5f6f7 }
  header { background: #12355b; color: #fff; padding: 14px 28px } header small { opacity: .75 }
  main { max-width: 1080px; margin: 24px auto; padding: 0 20px } section { background: #fff; border-radius: 8px; padding: 16px 20px; margin-bottom: 20px }
  h1 { font-size: 19px; margin: 0 } h2 { font-size: 16px; margin: 0 0 10px } table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid #e8eaed; vertical-align: top } th { color: #646a73; font-weight: 500 }
  code { font: 13px ui-monospace, monospace; word-break: break-all } .active { color: #0a7d33 } .isolated { color: #b26a00 } .reclaimed { color: #8f959e }
  input, select, button { font: inherit; padding: 4px 8px; margin-right: 8px } dt { color: #646a73 } dd { margin: 0 0 8px }`;

const page = (title: string, note: string, body: Html): string =>
  html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <small>${note}</small>
        </header>
        <main>${body}</main>
      </body>
    </html>`.text;

const statusName = { active: '使用中', isolated: '已隔离', reclaimed: '已回收' };

/** The provider's desk: its instances, the calls it got, and the switches for misbehaviour. */
export function deskPage(providerId: string, instances: StoredInstance[], requests: StoredRequest[], scripts: StoredScript[]): string {
  return page(
    '模拟服务商',
    `SaaS 服务商 ${providerId} 的后台，由沙箱扮演`,
    html`<section>
        <h2>实例</h2>
        ${instances.length === 0 ? html`<p>还没有实例。在云市场购买该服务商的 SaaS 商品后会出现在这里。</p>` : instanceTable(instances)}
      </section>
      <section>
        <h2>让下一次调用出错</h2>
        <form method="post" action="script">
          <select name="action">
            ${['createInstance', 'renewInstance', 'expireInstance', 'destroyInstance', 'flowQuery', 'flowSetting'].map(option)}</select
          ><select name="behaviour">
            ${behaviours.map(option)}</select
          >次数（空为一直）<input name="times" size="4" value="1" />商品编号（空为全部）<input name="product_number" size="8" /><button>
            设定
          </button>
        </form>
        <form method="post" action="script/clear"><button>全部恢复正常</button></form>
        ${
          scripts.length === 0
            ? html`<p>目前一切正常。</p>`
            : html`<ul>
                ${scripts.map(scriptItem)}
              </ul>`
        }
      </section>
      <section>
        <h2>收到的调用</h2>
        <table>
          <tr>
            <th>时间</th>
            <th>接口</th>
            <th>验签</th>
            <th>请求</th>
            <th>应答</th>
          </tr>
          ${requests.slice(0, 50).map(requestRow)}
        </table>
      </section>`,
  );
}

const option = (value: string): Html => html`<option>${value}</option>`;
const scriptItem = ({ action, behaviour, productNumber, remaining }: StoredScript): Html =>
  html`<li>
    <code>${action}</code> →
    <code>${behaviour}</code
    >，${remaining === null ? '一直' : `还有 ${remaining} 次`}${productNumber === null ? '' : `，商品 ${productNumber}`}
  </li>`;
const requestRow = ({ at, action, verdict, body, answer }: StoredRequest): Html =>
  html`<tr>
    <td>${china(at)}</td>
    <td>${action}</td>
    <td>${verdict}</td>
    <td><code>${body}</code></td>
    <td><code>${answer}</code></td>
  </tr>`;
const instanceTable = (instances: StoredInstance[]): Html =>
  html`<table>
    <tr>
      <th>实例标识</th>
      <th>订单</th>
      <th>商品</th>
      <th>规格</th>
      <th>状态</th>
      <th>到期</th>
      <th>账号</th>
      <th>用量</th>
      <th></th>
    </tr>
    ${instances.map(
      (instance) =>
        html`<tr>
          <td><code>${instance.signId}</code></td>
          <td><code>${instance.orderId}</code></td>
          <td>${instance.productName}</td>
          <td>${instance.isTrial ? '试用' : instance.spec}</td>
          <td class="${instance.status}">${statusName[instance.status]}</td>
          <td>${instance.expiresAt}</td>
          <td>${instance.login}</td>
          <td>${usageOf(instance)}</td>
          <td><a href="sso?sign_id=${instance.signId}&amp;ticket=${instance.ticket}">免登进入</a></td>
        </tr>`,
    )}
  </table>`;

/** What is used of what is metered, and a field to use more. */
const usageOf = ({ flow, signId }: StoredInstance): Html =>
  flow === null
    ? html``
    : html`<form method="post" action="instances/${signId}/usage">
        ${flow.used} / ${flow.total} ${flow.unit} <input name="add" size="6" placeholder="再用" /><button>使用</button>
      </form>`;

/** The application's website 网站: a visitor logs in with the account that was delivered. */
export function frontPage(providerId: string, refused: boolean): string {
  return page(
    '模拟 SaaS 应用',
    `服务商 ${providerId} 的网站，由沙箱扮演`,
    html`<section>
      <h2>登录</h2>
      ${refused ? html`<p class="isolated">账号或密码不对。</p>` : ''}
      <form method="post" action="app">
        <input name="login" placeholder="账号" autocomplete="username" /><input
          name="password"
          type="password"
          placeholder="密码"
          autocomplete="current-password"
        /><button>登录</button>
      </form>
      <p>账号和初始密码在云市场的实例详情「应用信息」里；那里的免登地址不需要密码。</p>
    </section>`,
  );
}

/** Behind the login, by password or by single sign-on 免登. */
export function applicationPage(instance: StoredInstance, how: 'sso' | 'password'): string {
  const body =
    instance.status === 'active'
      ? html`<p class="active">您已登录，应用可以使用。</p>`
      : html`<p class="${instance.status}">
          ${instance.status === 'isolated' ? '实例已到期并被隔离，续费后恢复使用。' : '实例已被回收。'}
        </p>`;
  return page(
    instance.productName,
    how === 'sso' ? '经云市场免登进入' : '用账号密码进入',
    html`<section>
      ${body}
      <dl>
        <dt>账号</dt>
        <dd>${instance.login}</dd>
        <dt>规格</dt>
        <dd>${instance.isTrial ? '试用' : instance.spec}</dd>
        <dt>实例标识</dt>
        <dd><code>${instance.signId}</code></dd>
        <dt>到期</dt>
        <dd>${instance.expiresAt === '' ? '见云市场' : instance.expiresAt}</dd>
      </dl>
    </section>`,
  );
}

export function noEntryPage(): string {
  return page('无法进入', '免登地址无效', html`<section><p>这个免登地址不对，或实例已不存在。请从云市场的实例详情重新打开。</p></section>`);
}

/** All providers that have been called so far. */
export function overviewPage(providers: { providerId: string; instances: number }[]): string {
  return page(
    '模拟服务商',
    '沙箱扮演的 SaaS 服务商',
    html`<section>
      <table>
        <tr>
          <th>服务商</th>
          <th>实例</th>
        </tr>
        ${providers.map(
          ({ providerId, instances }) =>
            html`<tr>
              <td>
                <a href="/sandbox/provider/${providerId}/"><code>${providerId}</code></a>
              </td>
              <td>${instances}</td>
            </tr>`,
        )}
      </table>
      ${providers.length === 0 ? html`<p>还没有服务商被调用过。</p>` : ''}
    </section>`,
  );
}

const china = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(5, 19).replace('T', ' ');
