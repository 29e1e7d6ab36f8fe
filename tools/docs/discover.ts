import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { declaredContracts } from '@yunshi/contracts/define';
import { declaredFlows } from '@yunshi/kernel/flow';
import { commonProblems, type ProblemEntries } from '@yunshi/http/problem';
import { declaredSagas } from '@yunshi/saga/define';
import { root, trackedFiles } from '../tracked.ts';

export type Transitions = { readonly [state: string]: { readonly [action: string]: string } };

/** One source file, with its names for what it imports from elsewhere. */
export type Source = { readonly path: string; readonly service: string | undefined; readonly tree: ts.SourceFile };

const isSource = (path: string): boolean =>
  /^(libs|services)\/[^/]+\/src\/.*\.ts$/.test(path) && !/\.(spec|fixture)\.ts$|\.d\.ts$/.test(path);
const serviceOf = (path: string): string | undefined => /^services\/([^/]+)\//.exec(path)?.[1];

export const sources: readonly Source[] = trackedFiles()
  .filter((path) => isSource(path) && !path.startsWith('services/console/'))
  .toSorted()
  .map((path) => ({
    path,
    service: serviceOf(path),
    tree: ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true),
  }));

const load = async (path: string) => (await import(pathToFileURL(join(root, path)).href)) as Readonly<Record<string, unknown>>;

const importsFrom = ({ tree }: Source, specifier: RegExp): boolean =>
  tree.statements.some(
    (statement) => ts.isImportDeclaration(statement) && specifier.test((statement.moduleSpecifier as ts.StringLiteral).text),
  );

/** Modules that declare something, imported. What a module's import starts would start here too: only declaring modules are imported. */
async function modulesThatImport(
  specifier: RegExp,
): Promise<readonly { readonly source: Source; readonly exports: Readonly<Record<string, unknown>> }[]> {
  const declaring = sources.filter((source) => importsFrom(source, specifier));
  return Promise.all(declaring.map(async (source) => ({ source, exports: await load(source.path) })));
}

/** The comment that stands above an exported constant. */
function commentOn({ tree }: Source, name: string): string {
  const statement = tree.statements.find(
    (one) => ts.isVariableStatement(one) && one.declarationList.declarations.some((declaration) => declaration.name.getText() === name),
  );
  const [doc] = statement ? ts.getJSDocCommentsAndTags(statement) : [];
  return doc && ts.isJSDoc(doc) ? (ts.getTextOfJSDocComment(doc.comment) ?? '').replaceAll(/\s+/g, ' ') : '';
}

export type Contract = ReturnType<typeof declaredContracts>[number] & {
  readonly exportName: string;
  readonly comment: string;
  readonly file: string;
};

export async function contracts(): Promise<readonly Contract[]> {
  const files = sources.filter(({ path }) => path.startsWith('libs/contracts/src/'));
  const named = new Map<unknown, { exportName: string; comment: string; file: string }>();
  for (const source of files)
    for (const [exportName, value] of Object.entries(await load(source.path)))
      named.set(value, { exportName, comment: commentOn(source, exportName), file: source.path });
  return declaredContracts().map((contract) => {
    const found = named.get(contract);
    if (!found) throw new Error(`${contract.type} is declared but not exported by a file of libs/contracts/src`);
    return Object.assign(contract, found);
  });
}

export type SagaFound = ReturnType<typeof declaredSagas>[number] & { readonly service: string; readonly file: string };

export async function sagas(): Promise<readonly SagaFound[]> {
  const modules = (await modulesThatImport(/^@yunshi\/saga\/define$/)).filter(({ source }) => source.service);
  return modules.flatMap(({ source, exports }) => {
    const own = new Set(Object.values(exports));
    return declaredSagas()
      .filter((saga) => own.has(saga))
      .map((saga) => ({ ...saga, service: source.service!, file: source.path }));
  });
}

export type FlowFound = {
  readonly flow: { readonly name: string; readonly table: Transitions };
  readonly service: string;
  readonly file: string;
};

export async function flows(): Promise<readonly FlowFound[]> {
  const modules = (await modulesThatImport(/^@yunshi\/kernel\/flow$/)).filter(({ source }) => source.service);
  return declaredFlows().map((flow) => {
    const home = modules.find(({ exports }) => Object.values(exports).includes(flow));
    if (!home) throw new Error(`the status table '${flow.name}' is not exported by the module that declares it`);
    return { flow, service: home.source.service!, file: home.source.path };
  });
}

export type ProblemsFound = { readonly service: string; readonly entries: ProblemEntries };

const entriesOf = (value: unknown): ProblemEntries | undefined =>
  typeof value === 'function' && 'entries' in value ? (value.entries as ProblemEntries) : undefined;

/** The common problems first, then what each service, or a library that brings routes to all of them, adds to them. */
export async function problems(): Promise<readonly ProblemsFound[]> {
  const modules = await modulesThatImport(/^@yunshi\/http\/problem$/);
  const own = new Map<string, Record<string, ProblemEntries[string]>>();
  for (const { source, exports } of modules) {
    const home = source.service ?? source.path.split('/')[1]!;
    for (const entries of Object.values(exports).map(entriesOf))
      for (const [code, entry] of Object.entries(entries ?? {}))
        if (!(code in commonProblems)) own.set(home, { ...own.get(home), [code]: entry });
  }
  return [
    { service: 'every service', entries: commonProblems },
    ...[...own].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([service, entries]) => ({ service, entries })),
  ];
}

export type Use = { readonly service: string; readonly file: string; readonly how: 'handles' | 'listens' | 'answers' | 'asks' | 'makes' };

const ways: Readonly<Record<string, Use['how']>> = { handle: 'handles', on: 'listens', answers: 'answers', ask: 'asks' };

/** What the services do with each contract, by the name under which `libs/contracts` exports it. */
export function uses(): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, Use[]>();
  for (const { path, service, tree } of sources) {
    if (!service) continue;
    const imported = new Set(contractImports(tree));
    const note = (name: string, how: Use['how']): void => {
      if (imported.has(name)) found.set(name, [...(found.get(name) ?? []), { service, file: path, how }]);
    };
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const callee = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : node.expression.getText(tree);
        const [first] = node.arguments;
        const way = ways[callee];
        if (way && first && ts.isIdentifier(first)) note(first.text, way);
        if (ts.isIdentifier(node.expression)) note(node.expression.text, 'makes');
      }
      node.forEachChild(visit);
    };
    visit(tree);
  }
  return found;
}

function contractImports(tree: ts.SourceFile): readonly string[] {
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || !(statement.moduleSpecifier as ts.StringLiteral).text.startsWith('@yunshi/contracts/'))
      return [];
    const bindings = statement.importClause?.namedBindings;
    return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
  });
}

/** The schema of each service's environment, as its `src/config.ts` exports it. */
export async function environments(): Promise<readonly { readonly service: string; readonly schema: unknown }[]> {
  const configs = sources.filter(({ path }) => /^services\/[^/]+\/src\/config\.ts$/.test(path));
  return Promise.all(
    configs.map(async ({ path, service }) => {
      const { Environment } = await load(path);
      if (Environment === undefined) throw new Error(`${path} must export its schema as Environment`);
      return { service: service!, schema: Environment };
    }),
  );
}
