/** The answer that a dead process gets. */
export const never = new Promise<never>(() => undefined);
