import { expect, test } from 'vitest';
import { html, page } from './html.ts';

test('what is put into a page is text, unless it was made as HTML', () => {
  const attack = '<script>alert("1")</script>';
  expect(html`<b>${attack}</b>`.html).toBe('<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</b>');
  const items = ['a', '&'].map((text) => html`<li>${text}</li>`);
  expect(html`<p>${items}</p>`.html.replaceAll(/\s/g, '')).toBe('<p><li>a</li><li>&amp;</li></p>');
  expect(page('a<b', html`<p>x</p>`)).toContain('<title>a&lt;b</title>');
});
