import type { ProblemEntries, ProblemEntry } from '@yunshi/http/problem';
import { html, page } from './html.ts';

const missingNote = (missing: readonly string[]) =>
  missing.length === 0 ? '' : html`<p>The list is not complete: ${missing.join(', ')} could not be asked.</p>`;

export function problemsPage(problems: ProblemEntries, missing: readonly string[]): string {
  const rows = Object.entries(problems)
    .sort(([a, one], [b, other]) => one.status - other.status || (a < b ? -1 : 1))
    .map(
      ([code, { status, title }]) =>
        html`<tr>
          <td>${status}</td>
          <td>
            <a href="/problems/${code}"><code>${code}</code></a>
          </td>
          <td>${title}</td>
        </tr> `,
    );
  return page(
    'Problems · Yunshi 云市',
    html`<h1>Problems</h1>
      <p class="lead">Every error is an RFC 9457 problem document. Programs decide by its <code>code</code>, which never changes.</p>
      ${missingNote(missing)}
      <table>
        <tr>
          <th>Status</th>
          <th>Code</th>
          <th>What is wrong</th>
        </tr>
        ${rows}
      </table>`,
  );
}

export function problemPage(code: string, { status, title, remedy }: ProblemEntry): string {
  return page(
    `${code} · Yunshi 云市`,
    html`<h1>${title}</h1>
      <p class="lead"><code>${code}</code> · HTTP ${status}</p>
      <dl>
        <dt>What to do</dt>
        <dd>${remedy}</dd>
      </dl>
      <p>When you report it, add the <code>trace_id</code> of the answer. <a href="/problems">All problems</a></p>`,
  );
}
