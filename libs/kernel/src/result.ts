/** An expected outcome as a value: refusals are data, thrown errors are for the unexpected. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const no = <const E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });
