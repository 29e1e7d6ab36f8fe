/** What shall go wrong the next times. A restart forgets it. */
export type Armed<M extends string> = { readonly arm: (what: M, times: number) => void; readonly take: (what: M) => boolean };

export function armed<M extends string>(): Armed<M> {
  const left = new Map<M, number>();
  return {
    arm: (what, times) => void left.set(what, times),
    take: (what) => {
      const times = left.get(what) ?? 0;
      if (times > 0) left.set(what, times - 1);
      return times > 0;
    },
  };
}
