import { stripVTControlCharacters } from 'node:util';

/** How the story is told: what happens, the request as curl, and what is checked. Every check that fails ends the story. */
export type Voice = {
  chapter(title: string): void;
  tell(line: string): void;
  curl(command: string): void;
  /** Says that it is so, or throws. */
  check(what: string, isSo: boolean, seen?: unknown): void;
  readonly checks: () => number;
};

export class NotSo extends Error {
  constructor(what: string, seen: unknown) {
    super(`not so: ${what}${seen === undefined ? '' : `\n  seen: ${JSON.stringify(seen)}`}`);
    this.name = 'NotSo';
  }
}

const paint = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const bold = paint(1);
const dim = paint(2);
const green = paint(32);
const cyan = paint(36);

export function voice(write: (line: string) => void, colours: boolean): Voice {
  const say = (line: string): void => write(colours ? line : stripVTControlCharacters(line));
  let chapters = 0;
  let checks = 0;
  return {
    chapter: (title) => say(`\n${bold(`${++chapters}  ${title}`)}`),
    tell: (line) => say(`   ${line}`),
    curl: (command) => say(`   ${dim('$')} ${cyan(command)}`),
    check(what, isSo, seen) {
      if (!isSo) throw new NotSo(what, seen);
      checks++;
      say(`   ${green('✓')} ${what}`);
    },
    checks: () => checks,
  };
}
