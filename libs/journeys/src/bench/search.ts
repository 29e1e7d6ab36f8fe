/** One rate that was tried, and whether the system kept up with it. */
export type Tried = { readonly rate: number; readonly kept: boolean };

export type Search = {
  readonly from: number;
  /** Each next rate is so many times the one before, until one is too high. */
  readonly factor: number;
  /** How often the gap between the highest that was kept and the lowest that was not is halved. */
  readonly halvings: number;
  readonly max: number;
};

/** Finds the highest rate that is kept: upwards in leaps until one is too high, then by halving. Answers 0 where none is kept. */
export async function highestRate(search: Search, keeps: (rate: number) => Promise<boolean>): Promise<{ rate: number; tried: Tried[] }> {
  const tried: Tried[] = [];
  const attempt = async (rate: number): Promise<boolean> => {
    const kept = await keeps(rate);
    tried.push({ rate, kept });
    return kept;
  };
  let low = 0;
  let high: number | undefined;
  for (let rate = search.from; high === undefined && rate <= search.max; rate = Math.round(rate * search.factor)) {
    if (await attempt(rate)) low = rate;
    else high = rate;
  }
  for (let left = search.halvings; left > 0 && high !== undefined; left--) {
    const middle = Math.round((low + high) / 2);
    if (middle === low || middle === high) break;
    if (await attempt(middle)) low = middle;
    else high = middle;
  }
  return { rate: low, tried };
}
