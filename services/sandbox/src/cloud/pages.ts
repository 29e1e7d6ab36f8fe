import { Html, html } from '../html.ts';
import type { CallLine } from './book.ts';
import { Mishap, mishapNames } from './mishaps.ts';
import { stateOf, type State } from './server.ts';
import type { CloudServer } from './tables.ts';

/** The cloud's desk: its servers, the calls it got, and the switches for misfortune. No scripts, so nothing to inject into. */

const style = `
  body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0; color: #1f2329; background: #f5f6f7 }
  header { background: #1b4d3e; color: #fff; padding: 14px 28px } header small { opacity: .75 }
  main { max-width: 1180px; margin: 24px auto; padding: 0 20px } section { background: #fff; border-radius: 8px; padding: 16px 20px; margin-bottom: 20px }
  h1 { font-size: 19px; margin: 0 } h2 { font-size: 16px; margin: 0 0 10px } table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid #e8eaed; vertical-align: top } th { color: #646a73; font-weight: 500 }
  code { font: 13px ui-monospace, monospace; word-break: break-all } .RUNNING { color: #0a7d33 } .PENDING { color: #b26a00 }
  input, select, button { font: inherit; padding: 4px 8px; margin-right: 8px }`;

const stateName: Readonly<Record<State, string>> = {
  PENDING: '创建中',
  LAUNCH_FAILED: '创建失败',
  RUNNING: '运行中',
  STOPPED: '已关机',
  STARTING: '开机中',
  STOPPING: '关机中',
  REBOOTING: '重装中',
  SHUTDOWN: '待回收',
  TERMINATED: '已销毁',
};

type Shown = {
  readonly servers: readonly CloudServer[];
  readonly calls: readonly CallLine[];
  readonly armed: readonly { readonly what: Mishap; readonly remaining: number }[];
  readonly now: Date;
};

export const cloudPage = ({ servers, calls, armed, now }: Shown): string =>
  html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>模拟云服务器</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>模拟云服务器</h1>
          <small>由沙箱扮演的云，接口与腾讯云 CVM 相同</small>
        </header>
        <main>
          <section>
            <h2>云服务器</h2>
            ${servers.length === 0 ? html`<p>还没有云服务器。在云市场购买镜像商品后会出现在这里。</p>` : serverTable(servers, now)}
          </section>
          <section>
            <h2>让接下来的调用出错</h2>
            <form method="post" action="next">
              <select name="what">
                ${Mishap.options.map((what) => html`<option value="${what}">${mishapNames[what]}</option>`)}</select
              >次数<input name="times" size="4" value="1" /><button>设定</button>
            </form>
            <form method="post" action="next/clear"><button>全部恢复正常</button></form>
            ${
              armed.length === 0
                ? html`<p>目前一切正常。</p>`
                : html`<ul>
                    ${armed.map(({ what, remaining }) => html`<li>${mishapNames[what]}，还有 ${remaining} 次</li>`)}
                  </ul>`
            }
          </section>
          <section>
            <h2>收到的调用</h2>
            <table>
              <tr>
                <th>时间</th>
                <th>接口</th>
                <th>地域</th>
                <th>请求</th>
                <th>应答</th>
              </tr>
              ${calls.slice(0, 50).map(callRow)}
            </table>
          </section>
        </main>
      </body>
    </html>`.text;

const callRow = ({ at, action, region, request, answer }: CallLine): Html =>
  html`<tr>
    <td>${china(at)}</td>
    <td>${action}</td>
    <td>${region}</td>
    <td><code>${request}</code></td>
    <td><code>${answer}</code></td>
  </tr>`;

const serverTable = (servers: readonly CloudServer[], now: Date): Html =>
  html`<table>
    <tr>
      <th>实例 ID</th>
      <th>名称</th>
      <th>可用区</th>
      <th>机型</th>
      <th>状态</th>
      <th>公网 / 内网 IP</th>
      <th>镜像</th>
      <th>密码</th>
      <th>到期</th>
    </tr>
    ${servers.map((server) => serverRow(server, stateOf(server, now)))}
  </table>`;

const serverRow = (server: CloudServer, state: State): Html =>
  html`<tr>
    <td><code>${server.serverId}</code></td>
    <td><code>${server.name}</code></td>
    <td>${server.zone}</td>
    <td>${server.machineType}</td>
    <td class="${state}">${stateName[state]}</td>
    <td>${server.publicIp ?? '无'} / ${server.privateIp}</td>
    <td><code>${server.imageId}</code></td>
    <td><code>${server.password ?? '密钥'}</code></td>
    <td>${china(server.expiresAt)}</td>
  </tr>`;

const china = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
