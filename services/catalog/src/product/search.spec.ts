import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containing, gramsOf, gramsToFind, normalised, wordsOf } from './search.ts';

test('a text is found by its characters and by pairs of neighbours', () => {
  expect(gramsOf('智能客服 CRM')).toEqual(['智', '智能', '能', '能客', '客', '客服', '服', 'c', 'cr', 'r', 'rm', 'm']);
});

test('full-width letters, capitals and spaces make no difference', () => {
  expect(normalised('ＣＲＭ　　系统\n')).toBe('crm 系统');
});

test('each word of a search counts once, and only the first eight', () => {
  expect(wordsOf(' 客服  机器人 客服 ')).toEqual(['客服', '机器人']);
  expect(wordsOf('a b c d e f g h i j')).toHaveLength(8);
});

test('a search of one character looks for the character, a longer one for its pairs', () => {
  expect(gramsToFind(['票'])).toEqual(['票']);
  expect(gramsToFind(['发票识别'])).toEqual(['发票', '票识', '识别']);
});

test('what a word contains has all the grams that a search for a part of it looks for', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((value) => normalised(value) !== '');
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (value, from, to) => {
      const characters = Array.from(normalised(value));
      const part = wordsOf(characters.slice(from % characters.length, (to % characters.length) + 1).join(''));
      const grams = new Set(gramsOf(value));
      expect(gramsToFind(part).filter((gram) => !grams.has(gram))).toEqual([]);
    }),
  );
});

test('nothing in a search is a wildcard', () => {
  expect(containing('50%_\\')).toBe('%50\\%\\_\\\\%');
});
