export const ok = (value) => ({ ok: true, value });
export const no = (error) => ({ ok: false, error });
