import { literally } from '@yunshi/db/like';

/**
 * Text search that knows Chinese without a dictionary: texts are cut into pairs of neighbouring characters, which an index finds,
 * and what it finds is compared as a whole. PostgreSQL's own parsers see a Chinese sentence as one word, and its trigrams depend
 * on the locale that the cluster was made with.
 */

const wordsMax = 8;

/** One form for what looks the same: full-width and half-width, upper and lower case. */
export const normalised = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();

/** The words of a search, each of which must occur. */
export const wordsOf = (query: string): string[] => [...new Set(normalised(query).split(' ').filter(Boolean))].slice(0, wordsMax);

/** Single characters and pairs of neighbours of each word of a text, without repetition. */
export function gramsOf(text: string): string[] {
  const grams = new Set<string>();
  for (const word of normalised(text).split(' ')) {
    const characters = Array.from(word);
    characters.forEach((character, index) => {
      grams.add(character);
      const next = characters[index + 1];
      if (next !== undefined) grams.add(character + next);
    });
  }
  return [...grams];
}

/** What a text must contain to be worth comparing with the words: their pairs, or single characters where a word has no pair. */
export const gramsToFind = (words: readonly string[]): string[] => [
  ...new Set(words.flatMap((word) => (lengthOf(word) === 1 ? [word] : gramsOf(word).filter((gram) => lengthOf(gram) === 2)))),
];

const lengthOf = (text: string): number => Array.from(text).length;

/** The word as a `like` pattern. */
export const containing = (word: string): string => `%${literally(word)}%`;
