import { RequestValidationError } from 'fastify-zod-openapi';
import type { z } from 'zod';
import { Problem, type FieldProblem, type ProblemOptions } from './problem.ts';

type Issue = z.core.$ZodIssue;

const parts = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const;
type Part = keyof typeof parts;
const isPart = (name: string | undefined): name is Part => name !== undefined && name in parts;

/** RFC 6901: `~` and `/` are escaped. The empty pointer is the whole value. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const units: Readonly<Record<string, string>> = { string: ' characters', array: ' items', set: ' items', file: ' bytes' };

function remedyOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `Send a value of type ${issue.expected}.`;
    case 'too_small':
      return `Send at least ${issue.inclusive === false ? 'more than ' : ''}${String(issue.minimum)}${units[issue.origin] ?? ''}.`;
    case 'too_big':
      return `Send at most ${issue.inclusive === false ? 'less than ' : ''}${String(issue.maximum)}${units[issue.origin] ?? ''}.`;
    case 'invalid_value':
      return `Send ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`;
    case 'invalid_format':
      return issue.pattern ? `Send text of the form ${issue.pattern}.` : `Send text in the format ${issue.format}.`;
    case 'not_multiple_of':
      return `Send a multiple of ${issue.divisor}.`;
    case 'invalid_union':
      return 'Send one of the shapes that the API description gives.';
    default:
      return 'Compare the value with the API description.';
  }
}

function fieldProblems(issue: Issue, part: Part): FieldProblem[] {
  const at = parts[part];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      in: at,
      field: jsonPointer([...issue.path, key]),
      detail: 'This field is not known here.',
      remedy: 'Leave it out, or correct its name.',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // What the caller most likely meant is the shape that fits best; what is wrong with the others would only confuse.
    const closest = issue.errors.reduce((best, one) => (one.length < best.length ? one : best));
    return closest.flatMap((inner) => fieldProblems({ ...inner, path: [...issue.path, ...inner.path] }, part));
  }
  const absent = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  const field = jsonPointer(issue.path);
  if (absent) return [{ in: at, field, detail: 'This is missing.', remedy: remedyOf(issue) }];
  return [{ in: at, field, detail: issue.message, remedy: remedyOf(issue) }];
}

/** More than this many field problems help nobody, and a hostile body could name thousands. */
const fieldProblemsMax = 50;

type ValidationFailure = { readonly validation?: readonly unknown[] | undefined; readonly validationContext?: string | undefined };

/** The problem for a request that a route's zod schemas refuse: every field at fault, and what to do about it. */
export function notValid({ validation, validationContext }: ValidationFailure, cause: unknown): Problem {
  const part = isPart(validationContext) ? validationContext : 'body';
  const errors = (validation ?? [])
    .filter((one): one is RequestValidationError => one instanceof RequestValidationError)
    .flatMap((one) => fieldProblems(one.params.issue, part))
    .slice(0, fieldProblemsMax);
  const [first] = errors;
  const detail = first ? `${first.in} ${first.field || '(the whole of it)'}: ${first.detail}` : undefined;
  return new Problem('request-not-valid', { errors, cause, ...(detail && { detail }) });
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * What a domain's own rules say about a body, as the options of a problem. The domain names its fields in camelCase with dots
 * (`skus.0.trialOf`), the body in snake_case (`/skus/0/trial_of`).
 */
export function rulesBroken(issues: readonly { readonly field: string; readonly message: string }[]): ProblemOptions {
  const errors = issues.slice(0, fieldProblemsMax).map(({ field, message }): FieldProblem => {
    const pointer = field === '' ? '' : jsonPointer(field.split('.').map(snake));
    return { in: 'body', field: pointer, detail: message, remedy: 'Correct it as `detail` says.' };
  });
  const [first] = errors;
  return { errors, ...(first && { detail: `${first.field || 'the whole of it'}: ${first.detail}` }) };
}
