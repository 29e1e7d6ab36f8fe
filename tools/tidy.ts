import { posix } from 'node:path';
import ts from 'typescript';

/** One file as a rule sees it: its path from the root, its text, and, for a source, its syntax tree. */
export type File = { path: string; text: string; tree: ts.SourceFile | undefined };

export type Rule = {
  name: string;
  why: string;
  /** Says what is wrong, each with the line where. */
  check: (file: File) => Finding[];
};

export type Finding = { line: number; what: string };

const LINES_MAX = 70;

export function read(path: string, text: string): File {
  const tree = /\.m?ts$/.test(path) ? ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) : undefined;
  return { path, text, tree };
}

/** Each rule has a fixture in the folder of its name in `fixtures/violations/tidy` that breaks it and no other. */
export const tidyRules: readonly Rule[] = [
  {
    name: 'no-barrels',
    why: 'a file of re-exports hides who needs what, and makes every importer load everything',
    check: ({ path, tree }) => {
      if (!tree) return [];
      const statements = [...tree.statements];
      const isReExport = (statement: ts.Statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
      if (posix.basename(path) === 'index.ts') return [{ line: 1, what: 'index.ts: give the file the name of what it holds' }];
      if (statements.length > 0 && statements.every(isReExport)) return [{ line: 1, what: 'it only exports what others define' }];
      return [];
    },
  },
  {
    name: 'functions-fit-on-a-screen',
    why: `a function of more than ${LINES_MAX} lines is read in parts, and so understood in parts`,
    check: ({ tree }) => {
      if (!tree) return [];
      const all = functionsIn(tree);
      return all
        .filter((node) => !isChapter(node))
        .map((node) => ({ node, lines: ownLines(tree, node, all) }))
        .filter(({ lines }) => lines > LINES_MAX)
        .map(({ node, lines }) => ({ line: lineOf(tree, node.getStart()), what: `${nameOf(node)} has ${lines} lines of its own` }));
    },
  },
  {
    name: 'every-test-runs',
    why: 'a test that is left out, or leaves the others out, still looks green',
    check: ({ path, text }) =>
      path.endsWith('.spec.ts') ? linesWith(text, /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|skipIf|runIf|todo|fails)\b/) : [],
  },
  {
    name: 'names-say-what',
    why: 'a name that fits everything says nothing',
    check: ({ path, tree }) => {
      const vague = /(?:^|[-_./])(?:utils?|commons?|managers?|helpers?|misc)(?:[-_./]|$)/i;
      const inPath = /\.(?:[mc]?[jt]s|sql|md)$/.test(path) && vague.test(path) ? [{ line: 1, what: `the path ${path}` }] : [];
      return [...inPath, ...(tree ? vagueDeclarations(tree) : [])];
    },
  },
  {
    name: 'workspaces-by-name',
    why: 'a relative path into another workspace goes around what that one exports',
    check: ({ path, tree }) => {
      const home = workspaceOf(path);
      if (!tree || !home) return [];
      return importsIn(tree)
        .filter(({ text }) => text.startsWith('.') && workspaceOf(posix.join(posix.dirname(path), text)) !== home)
        .map((specifier) => ({ line: lineOf(tree, specifier.getStart()), what: specifier.text }));
    },
  },
  {
    name: 'sources-only',
    why: 'the sources run as they are; a compiled file beside them would be run, or read, in their place',
    check: ({ path }) =>
      /^(?:libs|services|deploy\/local|tools)\/(?:.*\/)?[^/]+\.js(?:\.map)?$/.test(path) && !path.startsWith('services/console/')
        ? [{ line: 1, what: 'a compiled file' }]
        : [],
  },
  {
    name: 'nothing-left-open',
    why: 'what is still to do belongs into an issue, where somebody finds it',
    check: ({ path, text }) => (isText(path) ? linesWith(text, /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/) : []),
  },
  {
    name: 'no-machine-paths',
    why: 'a path of one machine is wrong on every other, and tells about its owner',
    check: ({ path, text }) =>
      isText(path) ? linesWith(text, /(?<![\w.\-/])\/(?:work\/|root\/\w|tmp\/plan|home\/[a-z][\w-]*\/|Users\/[A-Za-z][\w-]*\/)/) : [],
  },
  {
    name: 'no-registry-hosts',
    why: 'where packages come from is the choice of whoever installs them',
    check: ({ path, text }) =>
      isText(path)
        ? linesWith(text, /\b(?:registry\.[a-z0-9-]+\.[a-z]{2,}|(?:deb|security|archive|snapshot|ports)\.(?:debian|ubuntu)\.[a-z]+)\b/)
        : [],
  },
];

function isText(path: string): boolean {
  return !/\.(?:png|jpg|gif|svg|webp|ico|woff2?|ttf|pdf)$/.test(path);
}

function linesWith(text: string, pattern: RegExp): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const found = pattern.exec(line);
    return found ? [{ line: index + 1, what: found[0].trim() }] : [];
  });
}

function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

function nodesIn(tree: ts.SourceFile): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function functionsIn(tree: ts.SourceFile): ts.FunctionLikeDeclaration[] {
  return nodesIn(tree).filter(
    (node): node is ts.FunctionLikeDeclaration =>
      ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) || ts.isArrowFunction(node) || ts.isMethodDeclaration(node),
  );
}

/**
 * The lines of a function without those of the functions inside it: these are read, and counted, by themselves. So a function
 * that makes an object of functions may be longer than a screen, while nothing that runs in one go may.
 */
function ownLines(tree: ts.SourceFile, node: ts.FunctionLikeDeclaration, all: readonly ts.FunctionLikeDeclaration[]): number {
  const inner = all.filter((other) => other !== node && other.pos >= node.pos && other.end <= node.end);
  const span = (one: ts.Node) => [lineOf(tree, one.getStart()), lineOf(tree, one.end)] as const;
  const insideOfInner = new Set(
    inner.flatMap((one) => {
      const [first, last] = span(one);
      return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + 1 + index);
    }),
  );
  const [first, last] = span(node);
  return last - first + 1 - insideOfInner.size;
}

/** `describe('…', () => { … })` is a chapter of tests, often with their table, rather than a function. */
function isChapter(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^(?:describe|suite)\b/.test(node.parent.expression.getText());
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (node.name) return node.name.getText();
  return ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name.getText() : 'a function';
}

/** What a file declares for all of itself; names inside a function have their meaning around them. */
function vagueDeclarations(tree: ts.SourceFile): Finding[] {
  const vague = /(?:Utils?|Commons?|Managers?|Helpers?)$|^(?:utils?|commons?|managers?|helpers?)$/;
  const declared = tree.statements.flatMap((statement): ts.Node[] =>
    ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [statement],
  );
  return declared
    .map((node) => ('name' in node ? (node as ts.NamedDeclaration).name : undefined))
    .flatMap((name) =>
      name && ts.isIdentifier(name) && vague.test(name.text) ? [{ line: lineOf(tree, name.getStart()), what: name.text }] : [],
    );
}

function importsIn(tree: ts.SourceFile): ts.StringLiteral[] {
  return tree.statements.flatMap((statement) =>
    (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
    statement.moduleSpecifier &&
    ts.isStringLiteral(statement.moduleSpecifier)
      ? [statement.moduleSpecifier]
      : [],
  );
}

function workspaceOf(path: string): string | undefined {
  return /^(?:libs|services)\/[^/]+|^deploy\/local/.exec(path)?.[0];
}
