import { html, page } from './html.ts';

export type LandingOptions = { readonly sandboxUrl: string | undefined; readonly devIssuer: boolean };

const card = (href: string, title: string, text: string) => html`<a class="card" href="${href}"><b>${title}</b><span>${text}</span></a>`;

const firstSteps = `curl -s localhost:8080/v1/products
TOKEN=$(curl -s localhost:8080/v1/dev/token -H 'content-type: application/json' \\
  -d '{"persona":"lin"}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -s localhost:8080/v1/my/coupons -H "authorization: Bearer $TOKEN"`;

/** What somebody sees who opens the gateway's address. */
export function landingPage({ sandboxUrl, devIssuer }: LandingOptions, host: string): string {
  const cards = [
    card('/docs', 'API explorer', 'Read every route, and try it'),
    card('/openapi.json', 'OpenAPI 3.1', 'The whole description, for programs'),
    card('/problems', 'Problems', 'Every error code: what it means, what to do'),
    ...(sandboxUrl === undefined ? [] : [card(sandboxUrl, 'Payer', 'Play the buyer’s phone: scan and pay')]),
    ...(devIssuer ? [card('/v1/dev/personas', 'Personas', 'Everybody you can be')] : []),
  ];
  return page(
    'Yunshi 云市',
    html`<h1>Yunshi 云市</h1>
      <p class="lead">A cloud marketplace that a company can run itself: products, coupons, orders, payment, delivery.</p>
      <div class="cards">${cards}</div>
      ${
        devIssuer
          ? html`<h2>First steps</h2>
              <pre><code>${firstSteps.replaceAll('localhost:8080', host)}</code></pre>`
          : ''
      }`,
  );
}
