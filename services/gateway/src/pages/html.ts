const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);

/** Text that is already HTML. */
type Html = { readonly html: string };
type Piece = Html | string | number | readonly Html[];

const isList = (piece: Piece): piece is readonly Html[] => Array.isArray(piece);
const show = (piece: Piece): string =>
  isList(piece) ? piece.map(({ html }) => html).join('') : typeof piece === 'object' ? piece.html : escape(String(piece));

/** Whatever is put in is escaped, unless it was made by this as well. */
export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html => ({
  html: strings.map((text, index) => text + (index < pieces.length ? show(pieces[index]!) : '')).join(''),
});

const css = `
:root { color-scheme: light dark; --ink: #16202c; --soft: #5d6b7a; --line: #dfe5ec; --paper: #f6f8fb; --card: #fff; --accent: #0b62d6 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #9aa8b7; --line: #2b3643; --paper: #10161d; --card: #18212b; --accent: #6aaaff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif }
main { max-width: 56rem; margin: 0 auto; padding: 3rem 1.25rem }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem } h2 { font-size: 1.15rem; margin: 2rem 0 .75rem }
p.lead { color: var(--soft); font-size: 1.1rem; margin: 0 0 2rem }
a { color: var(--accent) } code { font: .92em ui-monospace, SFMono-Regular, Menlo, monospace }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)) }
.card { display: block; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); color: inherit; text-decoration: none }
.card:hover { border-color: var(--accent) } .card b { display: block } .card span { color: var(--soft); font-size: .92rem }
pre { overflow-x: auto; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); font-size: .9rem }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
th, td { text-align: left; vertical-align: top; padding: .6rem .9rem; border-top: 1px solid var(--line) } th { color: var(--soft); font-weight: 500; border-top: 0 }
dt { color: var(--soft); margin-top: 1rem } dd { margin: 0 }
`;

/** A page by itself: no script, nothing fetched. */
export const page = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${{ html: css }}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.html;
