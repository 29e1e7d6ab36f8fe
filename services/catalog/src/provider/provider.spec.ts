import { expect, test } from 'vitest';
import type { ProviderId } from '@yunshi/kernel/ids';
import { arrange, introduce, operateSelf, type Introduction, type Provider } from './provider.ts';

const providerId = `prv_${'1'.repeat(32)}` as ProviderId;
const now = new Date('2026-03-02T04:00:00Z');
const said: Introduction = {
  name: '青竹软件',
  nameEn: 'Qingzhu Software',
  about: '排班',
  aboutEn: 'Shifts',
  phone: '400-000-0199',
  email: 'hi@qingzhu.example',
  serviceHours: '每天',
};
const opened = (): Provider => {
  const provider = introduce(undefined, providerId, said, now);
  if (!provider.ok) throw new Error(provider.error);
  return provider.value;
};

test('a shop opens by introducing itself, and is not 自营', () => {
  expect(opened()).toEqual({ ...said, providerId, selfOperated: false, joinedAt: now });
});

test('it may say anything anew but its name, and remembers since when it is there', () => {
  const later = new Date(now.getTime() + 1);
  expect(introduce(opened(), providerId, { ...said, about: '排班与考勤' }, later)).toEqual({
    ok: true,
    value: { ...opened(), about: '排班与考勤' },
  });
  expect(introduce(opened(), providerId, { ...said, name: '别人软件' }, later)).toEqual({ ok: false, error: 'name-fixed' });
});

test('a shop becomes 自营 only while it has no products', () => {
  expect(operateSelf(opened(), { selfOperated: true, hasProducts: false })).toMatchObject({ ok: true, value: { selfOperated: true } });
  expect(operateSelf(opened(), { selfOperated: true, hasProducts: true })).toEqual({ ok: false, error: 'has-products' });
  expect(operateSelf(undefined, { selfOperated: true, hasProducts: false })).toEqual({ ok: false, error: 'not-found' });
});

test('a category can be moved, not renamed', () => {
  const office = { categoryId: 'office', name: '协同办公', nameEn: 'Office', position: 2 };
  expect(arrange(office, { ...office, position: 5 })).toEqual({ ok: true, value: { ...office, position: 5 } });
  expect(arrange(office, { ...office, name: '办公' })).toEqual({ ok: false, error: 'name-fixed' });
});
